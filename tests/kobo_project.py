"""A small invented project that fetches from a KoboToolbox server on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fake_kobo
from fake_kobo import ASSET, TOKEN, Kobo, submission
from fetch_project import FetchProject

EPISODE, SURVEY = "leap_s05", "leap_survey"


def make_kobo() -> Kobo:
    """A server with twelve submissions."""
    return Kobo({ASSET: [submission(number) for number in range(1, 13)]})


@contextmanager
def serve_project(kobo: Kobo, parent: Path) -> Iterator[FetchProject]:
    """Serve the forms; gives a project that fetches them."""
    folder = parent / "my project"
    folder.mkdir()
    with fake_kobo.serve(kobo) as address:
        project = FetchProject(folder, "unused.invalid")
        (project.keys / "kobo.txt").write_text(f"{TOKEN}\n")
        project.sources[:] = [
            {
                "SourceType": "KoboToolbox",
                "Server": address,
                "TokenFileURL": "gs://keys/kobo.txt",
                "Country": "KE",
                "SurveyFlowName": SURVEY,
                "Forms": [
                    {
                        "FlowName": EPISODE,
                        "Asset": ASSET,
                        "EpisodeQuestions": [
                            {"Field": "S05", "Keys": ["show/s05"]},
                            {"Field": "Heard", "Keys": ["show/heard"]},
                        ],
                    }
                ],
                "SurveyQuestions": [
                    {"Field": "Age", "Keys": ["about/age"]},
                    {"Field": "Gender", "Keys": ["about/gender"]},
                ],
                "PhoneNumberKeys": ["about/phone"],
            }
        ]
        yield project


def source_of(project: FetchProject) -> dict:
    """The source, as the configuration has it."""
    return project.sources[0]


def form_of(project: FetchProject) -> dict:
    """Its form."""
    return source_of(project)["Forms"][0]


def texts(project: FetchProject, field: str = "S05", flow: str = EPISODE) -> dict:
    """A field's answers by submission."""
    found = {}
    for record in project.read(flow):
        values = record.values
        found[int(values[f"run_id - {flow}"]) - 481000] = values.get(f"{field} (Text) - {flow}")
    return found


def people(project: FetchProject, flow: str = EPISODE) -> dict:
    """The participants by submission."""
    return {int(r.values[f"run_id - {flow}"]) - 481000: r.values["avf_phone_id"] for r in project.read(flow)}


def raw_data(project: FetchProject) -> dict[str, bytes]:
    """What is in Raw Data, by the files' names."""
    return {path.name: path.read_bytes() for path in (project.data_root / "Raw Data").iterdir()}
