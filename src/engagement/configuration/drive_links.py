"""Links to files, sheets and folders in Google Drive, as a browser or the Share button shows them."""

import re

_ID = r"[A-Za-z0-9_-]{6,200}"
_ACCOUNT = r"(?:u/[0-9]+/)?"
# Whatever follows the id says how a browser shows it.
DRIVE_LINK = (
    rf"https://docs\.google\.com/spreadsheets/{_ACCOUNT}d/({_ID})([/?#].*)?"
    rf"|https://drive\.google\.com/file/{_ACCOUNT}d/({_ID})([/?#].*)?"
    rf"|https://drive\.google\.com/drive/{_ACCOUNT}folders/({_ID})([/?#].*)?"
    rf"|https://drive\.google\.com/open\?id=({_ID})([&#].*)?"
)
_LINK = re.compile(DRIVE_LINK)


def drive_id_of(url: str) -> str | None:
    """Read the id of the file, sheet or folder that a link leads to; None if it is no link into Drive.

    >>> drive_id_of("https://docs.google.com/spreadsheets/d/1InventedSheet/edit?usp=sharing#gid=0")
    '1InventedSheet'
    >>> drive_id_of("https://drive.google.com/drive/u/1/folders/1InventedFolder")
    '1InventedFolder'
    >>> drive_id_of("https://docs.google.com/spreadsheets/d/e/2PACX-Published/pubhtml"), drive_id_of("gs://a/b")
    (None, None)
    """
    found = _LINK.fullmatch(url)
    return None if found is None else next(filter(None, found.group(1, 3, 5, 7)))


def drive_link(file_id: str) -> str:
    """Make the shortest link to a file, sheet or folder."""
    return f"https://drive.google.com/open?id={file_id}"


def drive_address(file_id: str, name: str) -> str:
    """Make the address of a file in Drive: it opens in a browser, and ends in the file's name.

    >>> drive_address("1Invented", "groups 1/2.csv"), drive_id_of(drive_address("1Invented", "groups.csv"))
    ('https://drive.google.com/open?id=1Invented#/groups 1_2.csv', '1Invented')
    """
    return f"{drive_link(file_id)}#/{name.replace('/', '_')}"
