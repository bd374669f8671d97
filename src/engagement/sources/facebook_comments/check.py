"""Check sources of Facebook comments: their settings, the token, and each post."""

from collections.abc import Iterable, Iterator, Sequence

from engagement.configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.services.container_needs import is_loopback
from engagement.services.facebook.client import GraphClient
from engagement.services.storage.protocol import read_token
from engagement.sources.answer_lengths import AnswerLengths
from engagement.sources.facebook_comments.model import FacebookCommentsSource
from engagement.sources.facebook_comments.posts import describe_newest
from engagement.sources.online_check import OnlineCheck

PlacedComments = PlacedSource[FacebookCommentsSource]


def find_warnings(sources: Sequence[PlacedComments], configuration: PipelineConfiguration) -> Iterator[Problem]:
    """Find servers that get the token unencrypted."""
    for at, source in sources:
        if source.server.startswith("http://") and not is_loopback(source.server):
            yield Problem(
                f"{at}.Server", "http:// sends the token and all comments unencrypted; expected https://. Change it."
            )


def find_warnings_in_runs(sources: Sequence[PlacedComments], lengths: AnswerLengths) -> Iterable[Problem]:
    """Find nothing: comments are whole."""
    return ()


def ask(placed: PlacedComments, check: OnlineCheck) -> None:
    """Ask for the token's page, for each post, and for a page of the comments that the fetch reads."""
    at, source = placed
    findings = check.findings
    with findings.noted(f"{at}.TokenFileURL"):
        token = read_token(check.storage, source.token_file_url)
        with GraphClient(source.graph_version, token, check.policy, source.server) as client:
            page_id = client.page_id()
            if page_id is not None and page_id not in source.page_ids:
                findings.add_warnings([Problem(f"{at}.TokenFileURL", _other_page(page_id, source))])
            for place, post_id in source.placed_posts():
                if client.post(post_id) is None:
                    findings.add_errors(
                        [Problem(f"{at}.{place}", _missing(post_id, describe_newest(client, source.page_ids)))]
                    )
                else:
                    next(client.comments(post_id))


def _other_page(page_id: str, source: FacebookCommentsSource) -> str:
    return (
        f"the token is of {page_id}, while the posts' ids begin with {', '.join(sorted(source.page_ids))}; expected a token of "
        "the posts' page. Check which page it is of."
    )


def _missing(post_id: str, newest: str) -> str:
    return (
        f"post {post_id!r} does not exist, or the token may not see it; expected a post of the token's page. {newest}Change or "
        "remove it."
    )
