"""Configuration of comments on posts of a Facebook page."""

from collections.abc import Iterator, Sequence
from typing import Literal, Self

from engagement.configuration.model import Model, key
from engagement.configuration.plan_checks import find_repeated
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource, RawDataSource, ResultKeys
from engagement.configuration.value_types import FlowName, StorageUrl
from engagement.sources.facebook_comments.value_types import GraphVersion, PostId, ServerAddress

# The name that a comment's answer has in the raw data: "Comment (Text) - s01e01_facebook".
FIELD = "Comment"


class CommentedPosts(Model):
    """Posts whose comments are answers to one episode."""

    flow_name: FlowName = key(
        "FlowName", "what these comments are called here: in keys of the raw data and in Raw Data/", "s01e01_facebook"
    )
    post_ids: tuple[PostId, ...] = key(
        "PostIDs", "the posts: the page's id, '_' and the post's", ["104785551234567_5550001"], min_length=1
    )


class FacebookCommentsSource(RawDataSource):
    """Comments on posts of one page, and the replies to them."""

    flow_keys = ("Posts", "")
    result_keys = ResultKeys.ITS_OWN_FLOWS
    uses_uuid_table = True
    read_by_fetch_alone = frozenset({"token_file_url", "graph_version", "open_days", "hidden_comments", "server"})

    source_type: Literal["FacebookComments"] = key("SourceType", "'FacebookComments'", "FacebookComments")
    token_file_url: StorageUrl = key(
        "TokenFileURL", "gs:// or file:// address of a text file with a token of the page", "gs://keys/page_token.txt"
    )
    posts: tuple[CommentedPosts, ...] = key(
        "Posts",
        "posts, and what their comments are called",
        [{"FlowName": "s01e01_facebook", "PostIDs": ["104785551234567_5550001"]}],
        min_length=1,
    )
    open_days: int = key(
        "OpenDays",
        "days after its publication in which a post's comments are fetched again, with edits and deletions; afterwards they stay "
        "as they are",
        30,
        30,
        ge=1,
        le=3650,
    )
    hidden_comments: bool = key(
        "HiddenComments", "whether comments that the page hid are taken as well; most are spam", True, False
    )
    graph_version: GraphVersion = key("GraphVersion", "version of the Graph API", "v26.0", "v26.0")
    server: ServerAddress = key(
        "Server", "address of the Graph API", "https://graph.facebook.com", "https://graph.facebook.com"
    )

    @property
    def activation_flow_names(self) -> tuple[str, ...]:
        """Names of the comments on each group of posts, in order."""
        return tuple(posts.flow_name for posts in self.posts)

    @property
    def survey_flow_name(self) -> None:
        """No flow is about participants."""
        return None

    @property
    def survey_flow_names(self) -> tuple[str, ...]:
        """None: a comment answers an episode."""
        return ()

    @property
    def token_file_urls(self) -> tuple[str, ...]:
        """Address of the file with the page's token."""
        return (self.token_file_url,)

    @property
    def page_ids(self) -> frozenset[str]:
        """The pages that the posts' ids name."""
        return frozenset(page_of(post_id) for posts in self.posts for post_id in posts.post_ids)

    def placed_flows(self) -> Iterator[tuple[str, str]]:
        """Its flows, each with its place in the source."""
        for number, posts in enumerate(self.posts):
            yield f"Posts[{number}].FlowName", posts.flow_name

    def placed_results(self) -> Iterator[tuple[str, str, str]]:
        """The comments' text, of each group of posts."""
        for number, posts in enumerate(self.posts):
            yield f"Posts[{number}].FlowName", posts.flow_name, FIELD

    def placed_posts(self) -> Iterator[tuple[str, str]]:
        """The posts' ids, each with its place in the source."""
        for number, posts in enumerate(self.posts):
            for position, post_id in enumerate(posts.post_ids):
                yield f"Posts[{number}].PostIDs[{position}]", post_id

    @classmethod
    def find_problems(cls, sources: Sequence[PlacedSource[Self]]) -> Iterator[Problem]:
        """Find posts that are named twice, and posts of several pages in one source."""
        posts = [(f"{at}.{place}", post_id) for at, source in sources for place, post_id in source.placed_posts()]
        yield from find_repeated(posts, "post's id")
        for at, source in sources:
            if len(source.page_ids) > 1:
                yield Problem(
                    f"{at}.Posts",
                    f"posts of {len(source.page_ids)} pages; expected those of one, as a token is of one page. Make each page a "
                    "source.",
                )


def page_of(post_id: str) -> str:
    """Return the page's id in a post's.

    >>> page_of("104785551234567_5550001")
    '104785551234567'
    """
    return post_id.partition("_")[0]
