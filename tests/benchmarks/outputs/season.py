"""An invented season of any size: a data root for stage 3 on the demo's configuration, and what changes in it from one day to the next."""

import functools
import hashlib
import json
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from engagement.configuration import CodeType, CodingMode, CodingPlan, ControlCode, Project, load_project
from engagement.foundation.partitions import count_processors, run_partitions
from engagement.provenance import Metadata, encode_fresh_chain

_DEMO = Path(__file__).resolve().parents[3] / "configurations" / "demo"
_METADATA = Metadata("benchmarks", "2026-11-01T00:00:00.000000+00:00", "benchmark@example.org")
_RESULT = re.compile(r"(.+) \((?:Text|Value)\) - (.+)")
_MESSAGES_OF_A_PARTICIPANT = 4
# Short answers and copied ones make up most of a season; so the texts of a large one are those of a small one, again and again.
_TEXTS_OF_AN_EPISODE = 1000
# These are written by one participant each.
_RARE_TEXTS = 100
_PERCENTAGES = {"answered the survey": 85, "is wrong scheme": 4, "has a second theme": 30, "is a greeting": 3}
_WORDS = [
    "biyaha",
    "caafimaadka",
    "dugsiga",
    "waddada",
    "dawladda",
    "bulshada",
    "caruurta",
    "hooyada",
    "beeraha",
    "suuqa",
    "qiimaha",
    "shaqada",
    "nabadda",
    "amniga",
    "daawada",
    "macallinka",
    "roobka",
    "abaarta",
    "xoolaha",
    "magaalada",
    "tuulada",
    "barakaca",
    "gargaarka",
    "tallaalka",
    "cudurka",
    "isbitaalka",
    "wacyiga",
    "idaacadda",
    "barnaamijka",
    "su'aasha",
    "jawaabta",
    "dhallinyarada",
    "haweenka",
    "odayaasha",
    "canshuurta",
    "laydhka",
    "ceelka",
    "harada",
    "jidka",
    "buundada",
]
_ANSWERS = {
    "gender": ["nin", "naag", "wiil", "gabar", "Nin baan ahay", "waxaan ahay haween", "lab", "dhedig", "fiican"],
    "age": [*map(str, range(14, 70)), "25 jir", "labaatan iyo shan", "ma garanayo"],
    "location": ["Baydhabo", "hodan", "Muqdisho", "gaalkacyo", "Kismaayo", "waaberi", "Garowe", "afgooye", "beledweyne", "bur"],
    "household_language": ["af soomaali", "somali", "maay", "carabi", "af maay"],
}  # fmt: skip
_YES_OR_NO = ["haa", "maya", "haa waan ahay", "may", "waxaan u malaynayaa haa"]


@dataclass(frozen=True)
class Season:
    """Where stage 3 finds everything."""

    configuration: Path
    credentials: Path
    data_root: Path

    def options(self) -> list[str]:
        """Stage 3's options."""
        return [
            *("--user", "benchmark@example.org", "--credentials", str(self.credentials)),
            *("--pipeline-configuration", str(self.configuration), "--data-root", str(self.data_root)),
        ]


def write_season(folder: Path, messages: int, heavy: int = 0) -> Season:
    """Write a season of so many messages, four a participant, and `heavy` more by one participant."""
    configuration = _copy_configuration(folder / "configuration")
    season = _make_places(folder, configuration)
    project = load_project(configuration)
    maker = SeasonMaker(project, messages)
    flows = [*project.configuration.activation_flows, *project.configuration.survey_flows]
    paths = [season.data_root / "Raw Data" / f"{flow}.jsonl" for flow in flows]
    for _ in run_partitions(
        lambda number: maker.write_flow(flows[number], paths[number], heavy if number == 0 else 0),
        len(flows),
        count_processors(),
    ):
        pass
    for plan in project.coding_plans.all:
        if plan.coda_filename is not None:
            path = season.data_root / "Coded Coda Files" / plan.coda_filename
            path.write_text(json.dumps(maker.make_coda_messages(plan)))
    return season


def take_data_set(folder: Path, data_set: Path) -> Season:
    """A season of recorded data: its folder holds the configuration, `Raw Data/` and `Coded Coda Files/`. It is left as it is."""
    season = _make_places(folder, data_set / "pipeline_configuration.json")
    for name in ("Raw Data", "Coded Coda Files"):
        shutil.rmtree(season.data_root / name)
        shutil.copytree(data_set / name, season.data_root / name, copy_function=shutil.copyfile)
        (season.data_root / name).chmod(0o700)
    return season


def change_one_percent(season: Season) -> None:
    """One participant in a hundred sends the first of their messages of an episode again, and five labels of rare texts change."""
    project = load_project(season.configuration)
    flow = project.configuration.activation_flows[0]
    with (season.data_root / "Raw Data" / f"{flow}.jsonl").open("r+b") as file:
        again, seen = [], set()
        for line in file:
            uid = json.loads(line)[-1]["Data"]["avf_phone_id"]
            if uid not in seen and int(hashlib.sha256(uid.encode()).hexdigest(), 16) % 100 == 0:
                again.append(_send_again(line, flow))
            seen.add(uid)
        file.writelines(again)
    plan = project.coding_plans.rqa[0]
    path = season.data_root / "Coded Coda Files" / str(plan.coda_filename)
    messages = json.loads(path.read_bytes())
    scheme = plan.coding_configurations[0].code_scheme
    themes = [code.code_id for code in scheme.codes if code.code_type is CodeType.NORMAL]
    for message in messages[-5:]:
        worn = {label["CodeID"] for label in message["Labels"]}
        new = next(theme for theme in themes if theme not in worn)
        message["Labels"].insert(0, _label(scheme.scheme_id, new))
    path.write_text(json.dumps(messages))


def _send_again(line: bytes, flow: str) -> bytes:
    """The same answer in a run of its own."""
    updates = []
    for update in reversed(json.loads(line)):
        data = {
            key: type(value)(f"{value}9")
            if key.startswith("run_id - ") or key.endswith(f"(Run ID) - {flow}")
            else value
            for key, value in update["Data"].items()
        }
        metadata = update["Metadata"]
        updates.append((data, Metadata(metadata["Source"], metadata["Timestamp"], metadata["User"])))
    return encode_fresh_chain(updates).encode() + b"\n"


def _copy_configuration(folder: Path) -> Path:
    shutil.copytree(_DEMO, folder)
    path = folder / "pipeline_configuration.json"
    document = json.loads(path.read_text())
    # Nothing leaves the machine.
    document.pop("DriveUpload", None)
    path.write_text(json.dumps(document))
    return path


def _make_places(folder: Path, configuration: Path) -> Season:
    season = Season(configuration, folder / "credentials.json", folder / "data root")
    for name in ("Raw Data", "Coded Coda Files"):
        (season.data_root / name).mkdir(parents=True)
    season.credentials.write_text('{"type": "embedded", "directory": "embedded"}')
    return season


class SeasonMaker:
    """Makes up runs and labels; what it makes depends on nothing but the project and the number of messages."""

    def __init__(self, project: Project, messages: int) -> None:
        self._project = project
        self._messages = messages
        self._participants = max(1, messages // _MESSAGES_OF_A_PARTICIPANT)
        configuration = project.configuration
        self._start = configuration.project_start_date + timedelta(days=1)
        self._step = (configuration.project_end_date - timedelta(days=2) - self._start) / max(messages, 1)
        self._results: dict[str, list[tuple[str, str]]] = {}
        for remapping in configuration.rapid_pro_key_remappings:
            found = _RESULT.fullmatch(remapping.rapid_pro_key)
            if found:
                self._results.setdefault(found[2], []).append((found[1], remapping.pipeline_key))

    def write_flow(self, flow: str, path: Path, heavy: int) -> None:
        """Write the runs of a flow in the order of their times."""
        activation = self._project.configuration.activation_flows
        chance = random.Random(flow)
        with path.open("w") as file:
            if flow in activation:
                for number in range(activation.index(flow), self._messages, len(activation)):
                    file.write(self._make_run(flow, number % self._participants, number, chance))
                for number in range(self._messages, self._messages + heavy):
                    file.write(self._make_run(flow, 0, number, chance, ending=f" {number}"))
            else:
                for participant in range(self._participants):
                    if chance.randrange(100) < _PERCENTAGES["answered the survey"]:
                        file.write(self._make_run(flow, participant, participant, chance))

    def time_of(self, number: float) -> datetime:
        """The time of a message, by its number."""
        return self._start + self._step * number

    def choose_texts(
        self, flow: str, participant: int, number: int, chance: random.Random, ending: str = ""
    ) -> Iterator[tuple[str, str]]:
        """Answers of a run, with the names of their results."""
        for category, key in self._results[flow]:
            pool = self._texts(key)
            # The first participants write the rare texts.
            is_rare = key in self._episodes() and participant < _RARE_TEXTS and number < self._participants
            yield category, _rare_text(participant) if is_rare else pool[chance.randrange(len(pool))] + ending

    def _make_run(self, flow: str, participant: int, number: int, chance: random.Random, ending: str = "") -> str:
        digest = hashlib.md5(f"participant {participant}".encode()).hexdigest()
        uid = f"avf-phone-uuid-{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"
        time = self.time_of(min(number, self._messages))
        run_id = f"{10**9 + number}"
        data = {
            "avf_phone_id": uid,
            "urn_type": "tel",
            f"run_id - {flow}": run_id,
            f"run_created_on - {flow}": time.isoformat(timespec="microseconds"),
            f"run_modified_on - {flow}": (time + timedelta(seconds=40)).isoformat(timespec="microseconds"),
            f"run_exited_on - {flow}": (time + timedelta(seconds=40)).isoformat(timespec="microseconds"),
            f"run_exit_type - {flow}": "expired",
        }
        for category, text in self.choose_texts(flow, participant, number, chance, ending):
            parts = {"Category": "All Responses", "Name": category.replace("_", " "), "Run ID": run_id, "Text": text}
            parts |= {"Time": time.isoformat(timespec="microseconds"), "Value": text}
            data |= {f"{category} ({part}) - {flow}": value for part, value in parts.items()}
        updates = [(data, _METADATA)]
        scheme = self._project.coding_plans.operator_scheme
        if scheme is not None and flow in self._project.configuration.activation_flows:
            label = {"SchemeID": scheme.scheme_id, "CodeID": scheme.codes[participant % 4].code_id, "Checked": False}
            label |= {"DateTimeUTC": _METADATA.timestamp, "Origin": {"OriginID": "x", "Name": "Pipeline Auto-Coder", "OriginType": "External"}}  # fmt: skip
            updates.append(({"operator_raw": "25261", "operator_coded": label}, _METADATA))
        return encode_fresh_chain(updates) + "\n"

    def _episodes(self) -> tuple[str, ...]:
        return tuple(plan.raw_field for plan in self._project.coding_plans.rqa)

    def _texts(self, key: str) -> list[str]:
        if key not in self._episodes():
            return _ANSWERS.get(key.removesuffix("_raw"), _YES_OR_NO)
        return _make_sentences(key)

    def make_coda_messages(self, plan: CodingPlan) -> list[dict[str, object]]:
        """What coders said to all texts of a plan: half of them at least have a theme; some belong elsewhere, a few are STOP."""
        chance = random.Random(plan.raw_field)
        is_episode = plan.raw_field in self._episodes()
        texts = [
            *self._texts(plan.raw_field),
            *(_rare_text(number) for number in range(_RARE_TEXTS if is_episode else 0)),
        ]
        correct = self._project.coding_plans.ws_correct_dataset_scheme
        messages = []
        for number, text in enumerate(texts):
            configuration = plan.coding_configurations[0]
            scheme = configuration.code_scheme
            themes = [code.code_id for code in scheme.codes if code.code_type is CodeType.NORMAL]
            labels = [_label(scheme.scheme_id, chance.choice(themes))]
            kind = chance.randrange(100)
            stop = scheme.find_control(ControlCode.STOP)
            wrong = scheme.find_control(ControlCode.WS)
            if is_episode and number % 400 == 399 and stop is not None:
                labels = [_label(scheme.scheme_id, stop.code_id)]
            elif kind < _PERCENTAGES["is wrong scheme"] and is_episode and wrong is not None and correct is not None:
                other = chance.choice([p for p in self._project.coding_plans.rqa if p.ws_code is not None])
                labels = [_label(scheme.scheme_id, wrong.code_id), _label(correct.scheme_id, other.ws_code.code_id)]  # type: ignore[union-attr]
            elif kind < _PERCENTAGES["has a second theme"] and configuration.coding_mode is CodingMode.MULTIPLE:
                labels.append(_label(f"{scheme.scheme_id}-1", chance.choice(themes)))
            messages.append(
                {
                    "MessageID": hashlib.sha256(text.encode()).hexdigest(),
                    "Text": text,
                    "CreationDateTimeUTC": "2026-08-05T07:00:00.000000+00:00",
                    "SequenceNumber": number,
                    "Labels": labels,
                }
            )
        return messages


@functools.cache
def _make_sentences(key: str) -> list[str]:
    chance = random.Random(key)
    return [" ".join(chance.choices(_WORDS, k=chance.randrange(1, 16))) + f" {n}" for n in range(_TEXTS_OF_AN_EPISODE)]


def _rare_text(participant: int) -> str:
    return f"warka deegaanka qofka {participant}"


def _label(scheme_id: str, code_id: str) -> dict[str, object]:
    return {
        "SchemeID": scheme_id,
        "CodeID": code_id,
        "DateTimeUTC": "2026-08-20T08:00:00.000000+00:00",
        "Checked": True,
        "Origin": {"OriginID": "coder@example.org", "Name": "Coder", "OriginType": "Manual"},
    }
