"""What the RapidPro of the project holds."""

import pytest

from fake_rapidpro import Workspace, contact, run


@pytest.fixture
def workspace():
    """Two episodes and a survey; contacts 1 to 9 with phones, 10 on Telegram, 11 without URN."""
    contacts = [contact(number) for number in range(1, 10)]
    contacts += [contact(10, "telegram:777001#zzyzx"), {**contact(11), "urns": []}]
    runs = [run(number, "s01e01", of=number, answer=f"haa {number}") for number in range(1, 12)]
    runs += [
        run(20, "s01e02", of=1),
        run(30, "demog", of=1, gender="nin", age="32"),
        run(31, "demog", of=2, gender="naag"),
    ]
    return Workspace(["s01e02", "s01e01", "demog", "other"], contacts, runs, page_size=4)
