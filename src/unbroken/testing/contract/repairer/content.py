"""Tests of what becomes of content: it leaves in order, once, or is named; and of `retry:`."""

from __future__ import annotations

from collections.abc import Sequence

from ...claims import Claim
from ...mistakes import hides
from ...require_hypothesis import st
from ...standard import read_sse
from ...strategies import any_streams, cut_streams, framed_streams, spoiled_answers, spoiled_lines
from .accounting import lost_lines, lost_words, outside
from .law import Law
from .reading import payload_words
from .under_test import Options, RepairerUnderTest, broken

__tracebackhide__ = hides

_CHAT = b'data: {"object":"chat.completion.chunk","choices":[]}\n\n'


class ContentTests(RepairerUnderTest):
    """Content leaves in order, or is named."""

    def test_content_leaves_in_the_order_in_which_it_came(self) -> None:
        """Words of payloads never change places and are never doubled, also where a payload is rescued."""
        for name, streams in (("answers", spoiled_answers()), ("lines", spoiled_lines())):
            drawn = st.tuples(cut_streams(streams), self.options)
            self._run(drawn, f"order_of_{name}", lambda drawn: self._check_order(drawn[0][1], drawn[1]))

    def _check_order(self, chunks: list[bytes], options: Options) -> None:
        came = payload_words(b"".join(chunks))
        left = payload_words(self._attempt(chunks, options).wire)
        if not is_part_of(left, came):
            raise broken(
                Law.ORDER_IS_KEPT, chunks, came, left, options, lambda again: self._check_order(again, options)
            )

    def test_every_line_leaves_or_is_named(self) -> None:
        """A line is in the output in its canonical spelling, in order, or a repair covers it."""
        self._needs("facts")
        streams = st.one_of(any_streams(), framed_streams(), spoiled_answers(), spoiled_lines())
        drawn = st.tuples(streams, self.options.map(_faithful))
        self._run(drawn, "lines", lambda drawn: self._check_lines([drawn[0]], drawn[1]))

    def test_every_line_of_a_body_that_is_declared_as_json_leaves_or_is_named(self) -> None:
        """The same where the content type says that the body is one document, so that its first line may be held."""
        self._needs("facts")
        drawn = st.tuples(spoiled_lines(), self._declared_as_json().map(_faithful))
        self._run(drawn, "declared_lines", lambda drawn: self._check_lines([drawn[0]], drawn[1]))

    def _check_lines(self, chunks: list[bytes], options: Options) -> None:
        data = b"".join(chunks)
        wire, facts = self._reported(chunks, options, "repairs", "format")
        data = data[: facts.get("bytes_in", len(data))]
        lost = lost_lines(data, wire, facts["format"], facts["repairs"])
        blanked = facts.get("respellings", {}).get("comment", 0)
        astray = outside(data, facts["repairs"])
        if astray or len(lost) > blanked or any(not line.startswith(":") for line in lost):
            seen = (wire, lost or astray, facts["repairs"])
            raise broken(
                Law.NOTHING_IS_LOST_SILENTLY,
                chunks,
                "nothing lost",
                seen,
                options,
                lambda again: self._check_lines(again, options),
            )

    def test_every_payload_leaves_or_is_named(self) -> None:
        """A whole payload is in the output, or a repair that drops covers it; also one that another field swallowed."""
        self._needs("facts")
        for name, streams in (("answers", spoiled_answers()), ("lines", spoiled_lines())):
            drawn = st.tuples(streams, self.options.map(_faithful))
            self._run(drawn, f"payloads_of_{name}", lambda drawn: self._check_payloads([drawn[0]], drawn[1]))

    def test_every_payload_of_a_body_that_is_declared_as_json_leaves_or_is_named(self) -> None:
        """The same where the content type says that the body is one document."""
        self._needs("facts")
        drawn = st.tuples(spoiled_lines(), self._declared_as_json().map(_faithful))
        self._run(drawn, "declared_payloads", lambda drawn: self._check_payloads([drawn[0]], drawn[1]))

    def _check_payloads(self, chunks: list[bytes], options: Options) -> None:
        wire, facts = self._reported(chunks, options, "repairs")
        data = b"".join(chunks)[: facts.get("bytes_in")]
        lost = lost_words(data, wire, facts["repairs"], self.rewrites)
        if lost:
            seen = (wire, lost, facts["repairs"])
            raise broken(
                Law.NOTHING_IS_LOST_SILENTLY,
                chunks,
                "nothing lost",
                seen,
                options,
                lambda again: self._check_payloads(again, options),
            )

    def test_a_retry_of_any_length_is_obeyed(self) -> None:
        """`retry:` takes ASCII digits, however many, with leading zeros; and is passed on, with an event or without."""
        self._skip_unless_claimed(Claim.RETRY)
        digits = st.one_of(
            st.text("0123456789", min_size=1, max_size=30),
            st.builds(lambda zeros, number: "0" * zeros + str(number), st.integers(0, 40), st.integers(0, 10**17)),
        )
        events = st.sampled_from([b"data: x\n\n", b"\n" + _CHAT, b'data: {"a":1}\n\n', _CHAT])
        streams = st.builds(lambda digits, event: b"retry: " + digits.encode() + b"\n" + event, digits, events)
        self._run(cut_streams(streams), "retry", lambda drawn: self._check_retry(drawn[1]))

    def _check_retry(self, chunks: list[bytes]) -> None:
        outcome = self._attempt(chunks, {})
        expected = read_sse(b"".join(chunks)).retry
        assert expected is not None
        expected = min(expected, self.longest_retry or expected)
        seen = read_sse(outcome.wire).retry
        reported = expected if outcome.facts is None else outcome.facts.get("retry", expected)
        if reported != expected or seen is None or min(seen, self.longest_retry or seen) != expected:
            raise broken(Law.RETRY_IS_OBEYED, chunks, expected, (seen, reported), {}, self._check_retry)


def _faithful(options: Options) -> Options:
    """Return the options without those that change the framing, forward less than came, or name less."""
    return {
        name: value for name, value in options.items() if name not in ("to", "convert", "comments", "errors", "repairs")
    }


def is_part_of(words: Sequence[bytes], all_words: Sequence[bytes]) -> bool:
    """Return whether these words are among all of them, in the same order and no more often."""
    rest = iter(all_words)
    return all(word in rest for word in words)
