"""The posts of a fetch: which are open, which are done with, and which are not there."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from engagement.foundation.errors import ServiceError, listing
from engagement.services.facebook.client import GraphClient
from engagement.services.facebook.rows import Post
from engagement.sources.facebook_comments.model import page_of

_NEAREST_POSTS = 5


class PostState(NamedTuple):
    """A post that was fetched whole: its publication, the time of the fetch, its comments."""

    created_on: datetime
    fetched_on: datetime
    comments: int

    def is_closed(self, open_days: int, held: int, now: datetime) -> bool:
        """Tell whether it was fetched after its last open day, and all its comments are still held.

        A fetch from after `now` had a wrong clock, and closes nothing.
        """
        last = self.created_on + timedelta(days=open_days)
        return held == self.comments and last <= self.fetched_on <= now

    def encode(self) -> str:
        """Write it as the store keeps it."""
        return json.dumps([self.created_on.isoformat(), self.fetched_on.isoformat(), self.comments])


def read_post_state(note: str | None) -> PostState | None:
    """Read what the store keeps of a post."""
    if note is None:
        return None
    created_on, fetched_on, comments = json.loads(note)
    return PostState(datetime.fromisoformat(created_on), datetime.fromisoformat(fetched_on), comments)


def find_posts(client: GraphClient, post_ids: Iterable[str]) -> dict[str, Post]:
    """Ask for posts, by id.

    Raises
    ------
    ServiceError
        Some are not there. It names all of them, and the page's newest posts.
    """
    found = {post_id: client.post(post_id) for post_id in post_ids}
    missing = [post_id for post_id, post in found.items() if post is None]
    if missing:
        raise ServiceError(
            "Facebook: posts that do not exist, or that the token may not see; expected posts of the token's page. "
            f"{listing(missing)}\n{describe_newest(client, {page_of(post_id) for post_id in missing})}Nothing was written to Raw Data. Check PostIDs, and of which page the token "
            "is. If a post was deleted, remove it from PostIDs: its comments leave the data then, too."
        )
    return {post_id: post for post_id, post in found.items() if post is not None}


def describe_newest(client: GraphClient, page_ids: Collection[str]) -> str:
    """Name the newest posts of a page, for somebody who looks for an id; nothing if that is refused."""
    try:
        newest = client.newest_posts(client.page_id() or min(page_ids), _NEAREST_POSTS)
    except ServiceError:
        return ""
    named = ", ".join(f"{post.id} of {post.created_on.date().isoformat()}" for post in newest)
    return f"The newest posts of the page: {named}. " if named else ""
