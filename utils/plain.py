"""Text that came with a file, such as a title or a name, made fit to be shown."""


def plain(text, longest=80):
    """Text on one line, without control characters and dollar signs, cut to a length.

    Matplotlib and JupyterLab take what stands between two dollar signs for a formula, and an
    attribute of a dataset can come to be drawn or shown anywhere.

    Parameters
    ----------
    text : object
        What a file holds where text should be; a number or an array is written as text.
    longest : int
        Characters at most.

    Returns
    -------
    str
        Still with its ``<``: what becomes HTML is escaped there.

    Examples
    --------
    >>> plain("GOES-16\\n$ABI$")
    'GOES-16 ABI'
    """
    text = "".join(c if c.isprintable() else " " for c in str(text).replace("$", ""))
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
