"""Make the configuration folder of a new project, ready to be checked, changed and run.

With --rapid-pro-token-file, takes the flows from the workspace, and makes their results questions. Without it the flows are
those of --activation-flow and --survey-flow, each with its results. Age, gender, places, and questions that are answered with yes
or no get the cleaners and code schemes that come with the pipeline. On a terminal, asks for whatever is missing.
"""

import argparse
import logging
import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from engagement.configuration.value_types import is_uuid
from engagement.desk.names_with_numbers import refuse_number_in_name
from engagement.desk.projects.plans import Country, Language, ProposedPlans, propose_plans
from engagement.desk.projects.project_files import (
    CONFIGURATION_FILE,
    ProjectSettings,
    make_pipeline_configuration,
    write_project_folder,
)
from engagement.desk.projects.questions import AnswerFlow, AskedResult, choose_flows, collect_questions, make_key
from engagement.foundation.errors import UsageError, listing
from engagement.foundation.files import read_text
from engagement.services.rapidpro.client import RapidProClient
from engagement.services.retries import RetryPolicy
from engagement.sources.rapidpro.chosen_flows import describe_several, flows_of

log = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]*")
_LANGUAGES = {Country.SOMALIA: Language.SOMALI, Country.KENYA: Language.SWAHILI, Country.OTHER: Language.ENGLISH}
_TIME_ZONES = {Country.SOMALIA: "Africa/Mogadishu", Country.KENYA: "Africa/Nairobi", Country.OTHER: "Africa/Nairobi"}
# Somebody is waiting for the answer.
_POLICY = RetryPolicy(budget_seconds=60.0, told_budget_seconds=600.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("name", help="name of the project, and of its folder")
    parser.add_argument("--directory", type=Path, default=Path("configurations"), help="where to make the folder")
    parser.add_argument("--rapid-pro-domain", metavar="DOMAIN", help="host of the RapidPro server, like textit.com")
    parser.add_argument(
        "--rapid-pro-token-file", type=Path, metavar="FILE", help="the workspace's token: take the flows from there"
    )
    parser.add_argument(
        "--flows", action="append", default=[], metavar="PATTERN", help="flows of the workspace to take, like 's01*'"
    )
    parser.add_argument(
        "--activation-flow",
        action="append",
        default=[],
        type=_parse_argument,
        metavar="FLOW[:RESULT,…]",
        help="flow with answers to an episode; may be repeated",
    )
    parser.add_argument(
        "--survey-flow",
        action="append",
        default=[],
        type=_parse_argument,
        metavar="FLOW[:RESULT,…]",
        help="flow that asks participants about themselves; may be repeated",
    )
    parser.add_argument("--country", choices=[str(country) for country in Country], help="where the participants live")
    parser.add_argument(
        "--language", choices=[str(language) for language in Language], help="main language; by default the country's"
    )
    parser.add_argument("--start-date", metavar="DATE", help="first day, like 2026-03-01, or a moment with an offset")
    parser.add_argument("--end-date", metavar="DATE", help="the day after the last")
    parser.add_argument("--time-zone", help="IANA name; by default the country's")
    parser.add_argument("--token-file-url", metavar="URL", help="where the pipeline finds the token; gs:// or file://")
    parser.add_argument("--firebase-credentials-url", metavar="URL", help="credentials of the uuid table")
    parser.add_argument("--uuid-table", metavar="NAME", help="name of the uuid table; by default the project's")
    parser.add_argument("--coda-user", action="append", default=[], metavar="EMAIL", help="who labels; may be repeated")
    parser.add_argument(
        "--test-contact",
        action="append",
        default=[],
        type=_parse_uuid,
        metavar="UUID",
        help="contact that the team tests with",
    )


def _parse_uuid(text: str) -> str:
    if not is_uuid(text):
        # It may be a phone number, so it is not repeated.
        raise argparse.ArgumentTypeError(
            "no uuid; expected RapidPro's uuid of the contact, as in the address of its page"
        )
    return text.lower()


def run(args: argparse.Namespace) -> None:
    """Ask what is missing, propose, write."""
    if _NAME.fullmatch(args.name) is None:
        raise UsageError(
            f"name: {args.name!r}; expected letters, digits, blanks, . _ and -, a letter or digit first. Change it."
        )
    folder = args.directory / args.name
    refuse_number_in_name(folder)
    if folder.exists():
        raise UsageError(f"{folder}: it is there already; expected a new folder. Choose another name or directory.")
    if sys.stdin.isatty():
        ask_for_missing(args, _ask)
    refuse_missing(args)
    country = Country(args.country)
    language = Language(args.language or _LANGUAGES[country])
    flows, is_anonymous = take_flows(args)
    questions, left_out = collect_questions(flows)
    for reason in left_out:
        log.warning("Left out: %s", reason)
    plans = propose_plans(questions, args.name, make_key(args.name).upper(), country, language)
    settings = make_settings(args, is_anonymous)
    write_project_folder(folder, make_pipeline_configuration(settings, flows, plans), plans)
    log.info(
        "Wrote %s: %d flow(s), %d question(s), %d code scheme(s)",
        folder,
        len(flows),
        len(questions),
        len(plans.schemes),
    )
    sys.stdout.write("\n".join(describe_next_steps(folder, settings, plans)) + "\n")


def describe_next_steps(folder: Path, settings: ProjectSettings, plans: ProposedPlans) -> Iterator[str]:
    """List what a person has to look at before the first run, a line each."""
    yield str(folder / CONFIGURATION_FILE)
    yield "Before the first run:"
    yield f"- the workspace's token has to be at {settings.token_file_url}"
    yield f"- the credentials of the uuid table have to be at {settings.firebase_credentials_url}"
    if settings.is_anonymous:
        yield '- the workspace is anonymous, so "Identity" is "contact": each contact is a participant of its own, whom other'
        yield "  workspaces and seasons don't know, and operators are not coded. Have it opened before the first run if you can"
    if not settings.test_contact_uuids:
        yield "- TestContactUUIDs is empty: messages of the team's own contacts would be analysed"
    if not settings.coda_users:
        yield "- there is no CodaUsers: the datasets have to be made in Coda by hand"
    unthemed = [file for file, scheme in plans.schemes.items() if not any(code.is_normal for code in scheme.codes)]
    if unthemed:
        yield f"- these code schemes have no themes yet; make them with 'scheme from-csv': {', '.join(unthemed)}"


def _ask(prompt: str) -> str:
    try:
        return input(prompt)
    except EOFError:
        raise UsageError("new-project: the terminal was closed; expected an answer. Give it as an option.") from None


def ask_for_missing(args: argparse.Namespace, ask: Callable[[str], str]) -> None:
    """Ask for what has no default and was not given; `ask` shows a prompt and gives the answer."""
    while args.country not in [*Country]:
        args.country = ask(f"Country ({', '.join(Country)}): ").strip().casefold()
    args.rapid_pro_domain = args.rapid_pro_domain or ask("Host of the RapidPro server: ").strip() or None
    args.start_date = args.start_date or ask("First day, like 2026-03-01: ").strip() or None
    args.end_date = args.end_date or ask("The day after the last: ").strip() or None
    if args.rapid_pro_token_file is not None or args.activation_flow or args.survey_flow:
        return
    for flows, what in ((args.activation_flow, "Activation"), (args.survey_flow, "Survey")):
        while answer := ask(f"{what} flow, as FLOW:RESULT,RESULT (empty to go on): ").strip():
            flows.append(parse_flow(answer))


def refuse_missing(args: argparse.Namespace) -> None:
    """Raise a UsageError that names everything missing or unusable."""
    needed = {
        "--country": args.country,
        "--rapid-pro-domain": args.rapid_pro_domain,
        "--start-date": args.start_date,
        "--end-date": args.end_date,
    }
    problems = [f"no {option}; expected one. Add it." for option, value in needed.items() if value is None]
    if args.time_zone is not None and args.time_zone not in available_timezones():
        problems.append(f"--time-zone: {args.time_zone!r}; expected an IANA name, like 'Africa/Nairobi'. Change it.")
    for option, date in (("--start-date", args.start_date), ("--end-date", args.end_date)):
        if date is not None and _read_date(date) is None:
            problems.append(f"{option}: {date!r}; expected a date, like '2026-03-01'. Change it.")
    if args.rapid_pro_token_file is None:
        given = [*args.activation_flow, *args.survey_flow]
        if not given:
            problems.append(
                "no flow; expected --rapid-pro-token-file, or --activation-flow and --survey-flow. Add them."
            )
        problems += [
            f"flow {name!r}: no results; expected FLOW:RESULT,RESULT. Add them."
            for name, results in given
            if not results
        ]
        if args.flows:
            problems.append("--flows: it chooses among a workspace's flows; expected --rapid-pro-token-file. Add it.")
    if problems:
        raise UsageError(f"new-project: {listing(problems)}")


def parse_flow(text: str) -> tuple[str, tuple[str, ...]]:
    """Take FLOW:RESULT,RESULT apart; without a colon there are no results.

    >>> parse_flow("s01_demographics:Gender, Age")
    ('s01_demographics', ('Gender', 'Age'))
    """
    name, _, results = text.rpartition(":") if ":" in text else (text, "", "")
    return name.strip(), tuple(result.strip() for result in results.split(",") if make_key(result))


def _parse_argument(text: str) -> tuple[str, tuple[str, ...]]:
    name, results = parse_flow(text)
    if not name:
        raise argparse.ArgumentTypeError(f"{text!r} has no name of a flow")
    return name, results


def _read_date(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def take_flows(args: argparse.Namespace) -> tuple[list[AnswerFlow], bool]:
    """Choose flows from the command line or the workspace, and find out if that is known to be anonymous.

    Raises
    ------
    UsageError
        No flow of the workspace matches the request, or several do.
    """
    if args.rapid_pro_token_file is None:
        flows = [
            AnswerFlow(name, tuple(AskedResult(make_key(result)) for result in results), is_activation)
            for named, is_activation in ((args.activation_flow, True), (args.survey_flow, False))
            for name, results in named
        ]
        return flows, False
    token = read_text(args.rapid_pro_token_file, UsageError, "a file with the workspace's token").strip()
    with RapidProClient(args.rapid_pro_domain, token, _POLICY) as client:
        is_anonymous = client.workspace().anon
        live = [flow for flow in client.flows() if not flow.archived]
    where = f"RapidPro {args.rapid_pro_domain}"
    kinds = {name: True for name, _ in args.activation_flow} | {name: False for name, _ in args.survey_flow}
    listed: dict[str, tuple[AskedResult, ...]] = {}
    for name in {flow.name: None for flow in live}:
        found = flows_of(name, live)
        if len(found) == 1:
            listed[name] = tuple(AskedResult(result.key, result.categories) for result in found[0].results)
        elif name in kinds:
            raise UsageError(f"{where}: {describe_several(name, found)}")
        else:
            log.warning("Left out: %s", describe_several(name, found))
    return choose_flows(listed, kinds, args.flows, where), is_anonymous


def make_settings(args: argparse.Namespace, is_anonymous: bool = False) -> ProjectSettings:
    """Collect the project's facts from the command line, and from its name and country."""
    time_zone = args.time_zone or _TIME_ZONES[args.country]
    bucket = f"gs://{make_key(args.name).replace('_', '-')}-credentials"
    token_file_url = args.token_file_url
    if token_file_url is None:
        file = args.rapid_pro_token_file
        token_file_url = file.resolve().as_uri() if file is not None else f"{bucket}/rapid-pro-token.txt"
    start, end = (
        moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))
        for moment in map(datetime.fromisoformat, (args.start_date, args.end_date))
    )
    return ProjectSettings(
        name=args.name,
        domain=args.rapid_pro_domain,
        token_file_url=token_file_url,
        firebase_credentials_url=args.firebase_credentials_url or f"{bucket}/firebase.json",
        uuid_table=args.uuid_table or make_key(args.name).upper(),
        start_date=start,
        end_date=end,
        time_zone=time_zone,
        test_contact_uuids=tuple(args.test_contact),
        coda_users=tuple(args.coda_user),
        is_anonymous=is_anonymous,
    )
