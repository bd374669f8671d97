"""A comment -> a submission with one answer, or the reason why it is left out."""

import enum
import hashlib

from engagement.services.facebook.rows import Comment
from engagement.sources.facebook_comments.model import FIELD
from engagement.sources.submissions.respondents import channel_respondent
from engagement.sources.submissions.submission import Answer, Respondent, Submission


class LeftOutComment(enum.StrEnum):
    """Why a comment is no participant's answer."""

    PAGE = "the page's own"
    HIDDEN = "hidden by the page"
    NO_TEXT = "without a text, such as stickers"


def find_reason_to_leave_out(comment: Comment, own_ids: frozenset[str], takes_hidden: bool) -> LeftOutComment | None:
    """Return why a comment is left out; None if it counts."""
    if comment.author is not None and comment.author.id in own_ids:
        return LeftOutComment.PAGE
    if comment.is_hidden and not takes_hidden:
        return LeftOutComment.HIDDEN
    return None if comment.message.strip() else LeftOutComment.NO_TEXT


def make_submission(comment: Comment, flow: str, post_id: str) -> Submission:
    """Make a comment's submission. Its version begins with the post, which its id does not always name."""
    time = comment.created_on
    return Submission(
        flow=flow,
        key=comment.id,
        version=f"{post_id} {_digest(comment)}",
        time=time,
        respondent=_respondent_of(comment),
        episode=(Answer(FIELD, comment.message, time),),
    )


def post_of(version: str) -> str:
    """Return the post that a version names.

    >>> post_of("1_2 9f86d0")
    '1_2'
    """
    return version.partition(" ")[0]


def _respondent_of(comment: Comment) -> Respondent:
    """Return the author; a comment without one stands for itself, as a person of its own."""
    if comment.author is not None:
        return channel_respondent("facebook", comment.author.id)
    return channel_respondent("facebook_comment", comment.id)._replace(urn_type="facebook", operator_raw="facebook")


def _digest(comment: Comment) -> str:
    # Of the author only whether there is one: who guesses ids could find the right one in a digest.
    content = f"{comment.created_time} {comment.author is not None} {comment.message}"
    return hashlib.blake2b(content.encode(), digest_size=12).hexdigest()
