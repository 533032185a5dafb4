"""What holds for every repairer of streams, as the sentences that a failed test prints."""

from __future__ import annotations

from enum import Enum


class Law(Enum):
    """A sentence that a repairer can violate; a failure prints the value."""

    CHUNKS_HAVE_NO_EFFECT = (
        "What is written, and what is reported, depends on the bytes and not on how a network cut them"
    )
    ANY_BYTES_ARE_TAKEN = "No input makes a repairer raise"
    NOTHING_IS_RAISED = (
        "No input makes a method of the contract raise; of a stream that fails it gives what was written, or read, "
        "until then"
    )
    VARIANTS_AGREE = "All ways to run the same repairer give the same"
    A_READER_AGREES = "A reader sees the events of the bytes that the repairer writes"
    NO_SECOND_REPAIR = "A repaired stream needs no repair: two proxies in a row write the same as one"
    HEALTHY_STREAMS_STAY = "A healthy stream reads the same after the repairer"
    FRAMES_LEAVE_AT_ONCE = "A whole frame is written before the next chunk is asked for"
    ORDER_IS_KEPT = "Content leaves in the order in which it came, and no more often"
    NOTHING_IS_LOST_SILENTLY = "What does not leave is covered by a repair with its offset and length"
    THE_REPORT_TELLS_WHAT_IS_WRITTEN = (
        "Text, reasoning and tool calls of the report can be read in what is written, and in the conversion"
    )
    THE_SENTINEL_ENDS_IT = (
        "The sentinel ends the stream: what follows is neither forwarded nor reported, however it arrives"
    )
    RETRY_IS_OBEYED = "`retry:` takes any number of digits (WHATWG 9.2.6); a time beyond what can be kept is clamped"
    HEARTBEATS_COME_IN_TIME = "With a heartbeat of h seconds no gap between two writes is longer than h"
    HEARTBEATS_CHANGE_NOTHING = "A heartbeat stands between whole frames and changes no event and no framing"
    A_PACE_ONLY_CUTS_TEXT = "A pace changes how text is cut into frames, and when they leave; nothing else"
    A_PACE_HOLDS_NOTHING_FOR_LONG = "A pace holds no text longer than it says"
    A_TIMEOUT_ENDS_IT_ONCE = "A timeout ends the stream within its time, once, with one last frame"
    A_SLOW_CONSUMER_IS_WAITED_FOR = "Time in which the consumer is slow counts for no timeout"
    A_FAILURE_IS_ONE_FRAME = "A failure of upstream is one last frame, without the words of the exception"
    EVENTS_ARE_DELIVERED_ONCE = "After a reconnection each event is delivered once, in order"
    AN_OBSERVER_IS_TOLD = (
        "It is told to an observer: the start first, each chunk before what comes of it, each repair, content with "
        "the seconds since the content before it, the end last; each once, and nothing after the end"
    )
    CHUNKS_ARE_COUNTED = "The report counts each chunk that is read until the end, an empty one too, and none behind it"
    A_READER_TAKES_CHUNKS = "A reader that takes chunks takes bytes and nothing else, until `close`, which ends it once"
    A_CASE_HAS_ITS_OUTCOME = "A case of known output is written, and reported, as its table says"
    WRONG_OPTIONS_ARE_REFUSED = "A wrong option is refused at the call, by its name; one at its bound is taken"
    OPTIONS_ARE_OBEYED = (
        "An option does what it says: `comments` drops them, `last_event_id` is the id to start from, no event is "
        "larger than `max_event_bytes`, and without `repairs` nothing is repaired"
    )
