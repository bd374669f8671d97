"""Plan a fetch of Facebook comments. Asks for each post, and no comment."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from engagement.foundation.errors import count_of
from engagement.services.facebook.client import GraphClient
from engagement.services.facebook.rows import Post
from engagement.services.storage.protocol import read_token
from engagement.sources.facebook_comments.model import FacebookCommentsSource
from engagement.sources.fetched_flows import count_lines
from engagement.sources.plan_context import SourcePlanContext


def plan_fetch(source: FacebookCommentsSource, context: SourcePlanContext) -> Iterator[str]:
    """Describe the comments held by now, and each post."""
    found: dict[str, Post | None] = {}
    with context.asking():
        token = read_token(context.storage, source.token_file_url)
        with GraphClient(source.graph_version, token, context.policy, source.server) as client:
            for _, post_id in source.placed_posts():
                found[post_id] = client.post(post_id)
    for posts in source.posts:
        runs = count_lines(context.data_root / "Raw Data" / f"{posts.flow_name}.jsonl")
        yield f"flow {posts.flow_name!r}: {count_of(runs, 'comment')} held"
        for post_id in posts.post_ids:
            yield f"post {post_id}: {_describe(found[post_id], source.open_days) if post_id in found else _UNKNOWN}"


_UNKNOWN = "could not find out if it is there"


def _describe(post: Post | None, open_days: int) -> str:
    if post is None:
        return "NOT THERE, OR THE TOKEN MAY NOT SEE IT"
    count = "comments" if post.comment_count is None else f"about {count_of(post.comment_count, 'comment')}"
    closes = post.created_on + timedelta(days=open_days)
    if closes < datetime.now(UTC):
        return f"{count}; closed since {closes.date().isoformat()}: fetched only if that was not done since"
    return f"{count}, all fetched to find what is new, edited or gone; open until {closes.date().isoformat()}"
