"""The errors that Hanjul raises on purpose: one sentence, a place, a next step."""


class HanjulError(Exception):
    """A known failure. The CLI prints it once, without a traceback, and exits with 1.

    Args:
        what: what went wrong, one sentence.
        where: the file, URI, key or address it concerns.
        next_step: what the reader can do about it.
    """

    def __init__(self, what: str, where: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        step = f" → {self.next_step}" if self.next_step else ""
        return f"{self.what}{place}{step}"
