"""The fast path: frames that equal a proven one around their text are proven too, and mean the same.

The tokens of an answer come in frames that differ in one string, and perhaps in an id or in some padding. Once such a
frame was proven and read, a template is made of it, and the next one needs neither a parser nor its dialect. Without
the fast path every stream reads the same, more slowly. The rest of the core knows `FastPath` and nothing else of it.
"""

from .fast_path import FastPath as FastPath
from .fast_path import Reader as Reader

enabled: bool = True
"""Whether streams that begin from now on take the fast path; tests switch it off."""
