"""KoboToolbox's REST API v2: a form, the listing of its submissions, and chosen ones whole.

Pages go by key, `_id` greater than the last one's, up to an empty page. With `start` a submission deleted meanwhile shifts
the rest, and one is missed. `limit` is always sent: without it a server of 2026 gives the first 100 and says nothing, and
it may still send fewer than were asked for.
"""

import itertools
import json
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

from engagement.foundation.errors import ServiceError
from engagement.services.http import LARGEST_ANSWER_BYTES, HttpSession, OversizeError, RefusedError
from engagement.services.kobo.refusals import CHECK_SERVER, explain_refusal
from engagement.services.kobo.rows import (
    FormContent,
    KoboPage,
    KoboSubmission,
    ListedSubmission,
    LostSubmission,
    NotKoboError,
    read_form,
    read_listing,
    read_submissions,
)
from engagement.services.listings import TOO_LARGE, ListingLimit, PageSize
from engagement.services.retries import RetryPolicy, TemporaryError

_MOST_ROWS = 1000
# Ids that are not in a row are named one by one in the address, which servers limit to some 8,000 letters.
_MOST_NAMED_ROWS = 100
_LONGEST_FIELDS = 3000
_TOO_LARGE = f"{TOO_LARGE}more than {LARGEST_ANSWER_BYTES >> 20} MiB"
# Before the first submission: ids are positive.
_BEFORE_ALL = 0


class KoboClient:
    """A server (a host name, or an address with scheme and port); a context manager.

    Methods raise ServiceError if it refuses, can't be reached within the retry policy, or is not KoboToolbox.
    """

    def __init__(self, server: str, token: str, policy: RetryPolicy):
        self.server = server
        address = server if server.startswith(("http://", "https://")) else f"https://{server}"
        self._assets = f"{address.rstrip('/')}/api/v2/assets/"
        self._token = token
        headers = {"Authorization": f"Token {token}", "Accept": "application/json"}
        self._session = HttpSession(f"KoboToolbox {server}", headers, policy)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.__exit__(None, None, None)

    def form(self, asset: str) -> FormContent:
        """Return a form as it is now."""
        return self._ask(asset, f"{asset}/", {}, "form", read_form)

    def count(self, asset: str) -> int:
        """Count a form's submissions."""
        return self._page(asset, {}, ["_id"], read_listing, 1).count

    def has_answer(self, asset: str, path: str) -> bool:
        """Tell whether a form's submissions have answers at a path. Those within a repeat are not seen."""
        return self._page(asset, {path: {"$exists": True}}, ["_id"], read_listing, 1).count > 0

    def listing(self, asset: str) -> Iterator[KoboPage[ListedSubmission]]:
        """List a form's submissions, the oldest ids first."""
        yield from self._pages(asset, {}, ["_id", "_uuid", "_validation_status"], read_listing)

    def submissions(
        self, asset: str, runs: Sequence[Sequence[int]], keys: Sequence[str]
    ) -> Iterator[KoboPage[KoboSubmission]]:
        """Give the submissions with these ids, those of `keys` alone where the address has room for them.

        `runs` are ascending ids, each of a run next to each other in the listing, so that a long run is one range. Those that
        were deleted since are missing. One that is too large for a page of its own is told as unreadable.
        """
        scattered: list[int] = []
        fields = ["_id", "_uuid", *keys]
        if len(urllib.parse.quote(_write(fields))) > _LONGEST_FIELDS:
            fields = []
        # Whole submissions of a long form have tens of KB.
        most = _MOST_ROWS if fields else _MOST_NAMED_ROWS
        for run in runs:
            if len(run) < _MOST_NAMED_ROWS:
                scattered += run
                continue
            for start in range(0, len(run), most):
                part = run[start : start + most]
                chosen = {"$gte": part[0], "$lte": part[-1]}
                yield from self._pages(asset, chosen, fields, read_submissions, part, most)
        for start in range(0, len(scattered), _MOST_NAMED_ROWS):
            part = scattered[start : start + _MOST_NAMED_ROWS]
            yield from self._pages(asset, {"$in": part}, fields, read_submissions, part)

    def _pages[Row: ListedSubmission | KoboSubmission](
        self,
        asset: str,
        chosen: dict[str, Any],
        fields: Sequence[str],
        read: Callable[[bytes], KoboPage[Row]],
        wanted: Sequence[int] | None = None,
        most: int = _MOST_ROWS,
    ) -> Iterator[KoboPage[Row]]:
        last = _BEFORE_ALL
        size = PageSize(most)
        limit: ListingLimit | None = None
        while wanted is None or last < wanted[-1]:
            try:
                page = self._page(asset, {"_id": {**chosen, "$gt": last}}, fields, read, size.rows)
            except OversizeError:
                if size.halve():
                    continue
                if wanted is None:
                    raise
                last = next(id_ for id_ in wanted if id_ > last)
                yield KoboPage(1, [], [LostSubmission(last, _TOO_LARGE)])
                continue
            size.grow()
            limit = limit or ListingLimit(f"{self._session.where}: submissions of form {asset}", page.count)
            ids = [row.id for row in page.rows] + [row.id for row in page.unreadable if row.id is not None]
            if not ids:
                if page.unreadable:
                    raise self._not_kobo(asset, "'_id' is missing in a whole page")
                return
            if min(ids) <= last:
                raise self._not_kobo(asset, "submissions came that were not asked for")
            if any(row.id >= following.id for row, following in itertools.pairwise(page.rows)):
                # The next page begins behind the largest: smaller ones would never come.
                raise self._not_kobo(asset, "submissions are not in the order of '_id'")
            limit.count(len(ids))
            last = max(ids)
            yield page

    def _page[Row](
        self,
        asset: str,
        query: dict[str, Any],
        fields: Sequence[str],
        read: Callable[[bytes], KoboPage[Row]],
        most: int,
    ) -> KoboPage[Row]:
        parameters = {"format": "json", "limit": str(most), "sort": _write({"_id": 1})}
        if query:
            parameters["query"] = _write(query)
        if fields:
            parameters["fields"] = _write(fields)
        return self._ask(asset, f"{asset}/data/", parameters, "submissions of form", read)

    def _ask[Body](
        self, asset: str, path: str, parameters: dict[str, str], what: str, read: Callable[[bytes], Body]
    ) -> Body:
        what = f"{what} {asset}"

        def decode(body: bytes) -> Body:
            try:
                return read(body)
            except NotKoboError as error:
                if str(error) == "not JSON":
                    raise TemporaryError("the response is not JSON", most_attempts=3) from None
                raise self._not_kobo(asset, str(error)) from None

        query = f"?{urllib.parse.urlencode(parameters or {'format': 'json'})}"
        try:
            return self._session.get(self._assets + path + query, what, decode).body
        except RefusedError as refused:
            raise explain_refusal(refused, f"{self._session.where}: {what}", asset, self._token) from None

    def _not_kobo(self, asset: str, found: str) -> ServiceError:
        return ServiceError(
            f"{self._session.where}: submissions of form {asset} do not match KoboToolbox's API version 2: {found}. "
            f"{CHECK_SERVER}"
        )


def _write(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))
