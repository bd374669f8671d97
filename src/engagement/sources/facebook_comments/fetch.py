"""Fetch all comments of open posts each time: nothing tells of an edit or a deletion.

Each page is kept as it comes. What a whole listing lacks is asked for one by one before it is dropped, as Facebook can leave out
comments whose place changes while it is read.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from engagement.foundation.errors import count_of
from engagement.services.facebook.client import GraphClient
from engagement.services.facebook.rows import Comment, CommentPage, Post
from engagement.services.storage.protocol import read_token
from engagement.sources.context import FetchContext
from engagement.sources.facebook_comments.comments import (
    LeftOutComment,
    find_reason_to_leave_out,
    make_submission,
    post_of,
)
from engagement.sources.facebook_comments.model import FIELD, CommentedPosts, FacebookCommentsSource
from engagement.sources.facebook_comments.posts import PostState, find_posts, read_post_state
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.submissions.channels import open_channel
from engagement.sources.submissions.flows import hand_over, refuse_emptied
from engagement.sources.submissions.respondents import Participants
from engagement.sources.submissions.store import SubmissionStore
from engagement.sources.submissions.submission import Submission, UnreadableSubmission

# One request each.
_MOST_ASKED_AGAIN = 200

_logger = logging.getLogger(__name__)


def fetch_flows(source: FacebookCommentsSource, context: FetchContext) -> list[FetchedFlow]:
    """Bring the comments of each group of posts up to date."""
    token = read_token(context.storage, source.token_file_url)
    stores = [open_channel(source, posts.flow_name, FIELD, "facebook_comments", context) for posts in source.posts]
    participants = Participants(context.uuid_table)
    with GraphClient(source.graph_version, token, context.policy, source.server) as client:
        # The page's own answers bear the id of the token's page, which can differ from that in the posts' ids.
        page_id = client.page_id()
        own_ids = source.page_ids | ({page_id} if page_id is not None else set())
        fetches = [
            _FlowFetch(source, posts, store, own_ids, participants, context)
            for posts, store in zip(source.posts, stores, strict=True)
        ]
        found = find_posts(client, [post_id for fetch in fetches for post_id in fetch.open_posts])
        for fetch in fetches:
            fetch.run(client, found)
    return hand_over(source, stores, context)


class _FlowFetch:
    """The fetch of one flow: its posts, one after another, then what is gone."""

    def __init__(
        self,
        source: FacebookCommentsSource,
        posts: CommentedPosts,
        store: SubmissionStore,
        own_ids: frozenset[str],
        participants: Participants,
        context: FetchContext,
    ):
        self._source = source
        self._posts = posts
        self._store = store
        self._own_ids = own_ids
        self._participants = participants
        self._context = context
        self._now = datetime.fromisoformat(context.timestamp)
        self._held = store.versions()
        self._left_out: Counter[LeftOutComment] = Counter()
        self._without_author = 0
        self._changed = 0
        # Comments whose place is known in this fetch, whether they count or not.
        self._listed: set[str] = set()
        self._kept: set[str] = set()
        held_of = Counter(map(post_of, self._held.values()))
        states = {post_id: read_post_state(store.note(f"post {post_id}")) for post_id in posts.post_ids}
        self.open_posts = [
            post_id
            for post_id, state in states.items()
            if state is None or not state.is_closed(source.open_days, held_of[post_id], self._now)
        ]

    def run(self, client: GraphClient, posts: dict[str, Post]) -> None:
        """Fetch the open posts; drop what is gone, unless that is too much."""
        for post_id in self.open_posts:
            listed = 0
            for page in client.comments(post_id, posts[post_id].comment_count):
                listed += len(page.comments) + len(page.unreadable)
                self._take(post_id, page)
            total = posts[post_id].comment_count
            _logger.info("Post %s: seen %d of %s comments", post_id, listed, "unknown" if total is None else total)
        closed = set(self._posts.post_ids) - set(self.open_posts)
        missing = {
            key: post_of(version)
            for key, version in self._held.items()
            if key not in self._listed and post_of(version) in self.open_posts
        }
        self._ask_again(client, missing)
        unlisted = [one.key for one in self._store.set_aside() if one.key not in self._listed]
        gone = [key for key, version in self._held.items() if key not in self._kept and post_of(version) not in closed]
        where = f"Facebook comments {self._posts.flow_name!r}"
        refuse_emptied(where, len(self._held), len(self._held) - len(gone), self._context)
        if gone or unlisted:
            self._store.drop({*gone, *unlisted})
        self._note_posts(posts)
        self._report(where, len(gone))

    def _take(self, post_id: str, page: CommentPage) -> None:
        """Keep a page; only comments that are new or changed need their author's uuid."""
        new: list[Submission] = []
        for comment in page.comments:
            submission = self._sort(post_id, comment)
            if submission is not None and self._held.get(comment.id) != submission.version:
                new.append(submission)
        lost = [
            UnreadableSubmission(
                one.id or f"{post_id} {number}", f"post {post_id}, comment {one.id or '?'}", one.reason
            )
            for number, one in enumerate(page.unreadable, len(self._listed))
        ]
        self._listed.update(one.key for one in lost)
        # What can't be read now stays as it was.
        self._kept.update(one.key for one in lost)
        if new or lost:
            uuids = self._participants.uuids(one.respondent for one in new)
            self._changed += self._store.put([(one, uuids[one.respondent]) for one in new], lost)

    def _sort(self, post_id: str, comment: Comment) -> Submission | None:
        is_new = comment.id not in self._listed
        self._listed.add(comment.id)
        reason = find_reason_to_leave_out(comment, self._own_ids, self._source.hidden_comments)
        if reason is not None:
            self._left_out[reason] += is_new
            return None
        self._without_author += is_new and comment.author is None
        self._kept.add(comment.id)
        return make_submission(comment, self._posts.flow_name, post_id)

    def _ask_again(self, client: GraphClient, missing: dict[str, str]) -> None:
        """Ask for comments that the listing lacked: those that are there after all stay."""
        if len(missing) > _MOST_ASKED_AGAIN:
            return
        for comment_id, post_id in missing.items():
            comment = client.comment(comment_id)
            if comment is not None:
                self._take(post_id, CommentPage([comment], [], None))

    def _note_posts(self, posts: dict[str, Post]) -> None:
        held = Counter(map(post_of, self._store.versions().values()))
        states = {
            f"post {post_id}": PostState(posts[post_id].created_on, self._now, held[post_id]).encode()
            for post_id in self.open_posts
        }
        if states:
            self._store.keep_notes(states)

    def _report(self, where: str, gone: int) -> None:
        _logger.info(
            "%s: %s held, %d new or edited, %d gone; %d of %s open%s%s",
            where,
            count_of(self._store.count(), "comment"),
            self._changed,
            gone,
            len(self.open_posts),
            count_of(len(self._posts.post_ids), "post"),
            _describe(self._left_out.items()),
            f"; {count_of(self._without_author, 'comment')} without an author, each as a participant of its own"
            if self._without_author
            else "",
        )


def _describe(left_out: Iterable[tuple[LeftOutComment, int]]) -> str:
    told = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out) if count)
    return f"; left out: {told}" if told else ""
