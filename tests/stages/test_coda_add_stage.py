"""Stage 4 end to end, into an embedded Coda folder."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from coda_examples import (
    WS_SCHEME,
    coda_folder_state,
    code_scheme,
    kill_stage_at_each_write,
    label,
    make_credentials,
    make_project,
    message,
    read,
    run_stage,
    start_stage,
    write,
)
from engagement.foundation.errors import ConfigurationError, InputError, ServiceError, UsageError
from engagement.labelling.datasets.known_messages import (
    find_source_instance,
    record_source_instance,
    save_known_messages,
)
from engagement.services.coda.embedded import FolderCoda
from engagement.services.coda.metrics import count_metrics


class Place:
    """A data root, a project and an embedded Coda folder under one directory."""

    def __init__(self, directory, **project):
        self.data_root = directory / "data root"
        self.credentials = make_credentials(directory, "embedded")
        self.configuration = make_project(directory / "configuration", **project)
        self.folder = directory / "embedded" / "coda"
        self.coda = FolderCoda(directory / "embedded")

    def put_output(self, messages, dataset="show"):
        return write(self.data_root / "Outputs" / "Coda Files" / f"{dataset}.json", messages)

    def arguments(self, with_configuration=True):
        configured = ["--pipeline-configuration", self.configuration] if with_configuration else []
        return ["--credentials", self.credentials, "--data-root", self.data_root, *configured]

    def add(self, **options):
        run_stage("coda_add", *self.arguments(**options))

    def get(self):
        run_stage("coda_get", *self.arguments())

    def texts_by_number(self, dataset="show"):
        return {item["SequenceNumber"]: item["Text"] for item in self.coda.read_messages(dataset)}


def save_known(data_root, number):
    save_known_messages(data_root, "show", "another instance", {f"message {number}"})


def record_source(data_root, number):
    record_source_instance(data_root, f"dataset {number}", "here")


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_dataset_that_coda_lacks_is_made_with_the_users_and_the_code_schemes_of_its_plan(place):
    place.put_output([message(2), message(1)])
    place.add()
    assert place.texts_by_number() == {0: "jawaab 1", 1: "jawaab 2"}
    assert read(place.folder / "show.users.json") == ["coder@example.org"]
    assert read(place.folder / "show.code_schemes.json") == [code_scheme(name="show"), WS_SCHEME]
    assert read(place.folder / "show.metrics.json")["messages_count"] == 2


def test_adding_twice_adds_nothing_and_writes_nothing(place):
    place.put_output([message(number) for number in range(5)])
    place.add()
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in place.folder.glob("*.json")}
    place.add()
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in place.folder.glob("*.json")} == before


def test_a_message_that_coda_has_is_not_touched_whatever_changed(place):
    place.put_output([message(1)])
    place.add()
    place.coda.save_labels("show", [message(1, [label("code-health")])])
    before = place.coda.read_messages("show")
    changed = message(1, [label("code-water", checked=False)], CreationDateTimeUTC="2026-02-01T00:00:00Z")
    place.put_output([changed, message(2)])
    place.add()
    assert place.coda.read_messages("show")[:1] == before
    assert place.texts_by_number() == {0: "jawaab 1", 1: "jawaab 2"}


def test_later_messages_get_later_numbers_even_when_they_were_created_earlier(place):
    place.put_output([message(10)])
    place.add()
    place.put_output([message(10), message(3), message(2)])
    place.add()
    assert place.texts_by_number() == {0: "jawaab 10", 1: "jawaab 2", 2: "jawaab 3"}


def test_creation_times_are_compared_as_moments_and_not_as_text(place):
    earlier = message(1, CreationDateTimeUTC="2026-03-01T11:30:00+03:00")
    later = message(2, CreationDateTimeUTC="2026-03-01T09:00:00Z")
    place.put_output([later, earlier])
    place.add()
    assert place.texts_by_number() == {0: "jawaab 1", 1: "jawaab 2"}


def test_six_thousand_messages_fill_three_segments(place):
    place.put_output([message(number) for number in range(6000)])
    place.add()
    sizes = [len(read(place.folder / f"{segment}.json")) for segment in ("show", "show_2", "show_3")]
    assert sizes == [2500, 2500, 1000]
    assert place.texts_by_number() == {number: f"jawaab {number}" for number in range(6000)}
    for segment in ("show", "show_2", "show_3"):
        assert read(place.folder / f"{segment}.users.json") == ["coder@example.org"]
        assert read(place.folder / f"{segment}.code_schemes.json") == [code_scheme(name="show"), WS_SCHEME]
    assert read(place.folder / "show_3.metrics.json")["messages_count"] == 1000


def test_labels_that_the_auto_coder_proposes_go_along(place):
    proposed = label("code-health", checked=False)
    place.put_output([message(1, [proposed])])
    place.add()
    assert place.coda.read_messages("show")[0]["Labels"] == [proposed]
    assert read(place.folder / "show.metrics.json")["messages_with_label"] == 0


@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_is_killed_at_any_write_is_completed_by_the_next(tmp_path, after):
    messages = [message(number, [label("code-NC")]) for number in range(2600)]
    places = [Place(tmp_path / str(count)) for count in range(15)]
    for place in places:
        place.put_output(messages)
    died = kill_stage_at_each_write(after, "coda_add", [place.arguments() for place in places])
    # users, schemes, metrics and messages of the new dataset and of its two filled segments, the state, then what is known of the project
    assert died == 14
    expected = coda_folder_state(places[-1].folder)
    assert expected["show_2.metrics.json"]["not_coded_messages"] == 100
    for count, place in enumerate(places[:died]):
        place.add()
        assert coda_folder_state(place.folder) == expected, count


def test_two_copies_at_once_add_each_message_once(tmp_path):
    place = Place(tmp_path)
    place.put_output([message(number) for number in range(2600)])
    processes = [start_stage("coda_add", *place.arguments()) for _ in range(3)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert place.texts_by_number() == {number: f"jawaab {number}" for number in range(2600)}
    assert len(place.coda.read_messages("show")) == 2600
    for segment in ("show", "show_2"):
        metrics = count_metrics(read(place.folder / f"{segment}.json"), [code_scheme()])
        assert read(place.folder / f"{segment}.metrics.json") == metrics


@pytest.mark.parametrize("save", [save_known, record_source], ids=["known messages", "source instances"])
def test_what_is_kept_of_coda_can_be_saved_by_several_at_once(tmp_path, save):
    with ThreadPoolExecutor(8) as threads:
        for saved in [threads.submit(save, tmp_path, number) for number in range(200)]:
            saved.result()
    assert not list(tmp_path.rglob("*.partial"))
    datasets = {find_source_instance(tmp_path, f"dataset {number}") for number in range(200)}
    # What one of them keeps another does not overwrite.
    assert datasets == ({"here"} if save is record_source else {None})


def test_datasets_that_can_not_be_made_are_named_after_the_others_are_done(tmp_path):
    place = Place(tmp_path, datasets=("show", "gender", "age"), users=())
    for dataset in ("show", "gender", "age"):
        place.put_output([message(1)], dataset)
    place.coda.create_dataset("age", ["coder@example.org"], [])
    with pytest.raises(ServiceError, match="no dataset 'show', 'gender'; .* administrator .* CodaUsers") as error:
        place.add()
    assert error.value.exit_status == 12
    assert place.texts_by_number("age") == {0: "jawaab 1"}
    assert not place.coda.has_dataset("show")


def test_without_a_configuration_the_datasets_are_those_that_have_a_file(place):
    place.put_output([message(1)])
    place.coda.create_dataset("show", ["coder@example.org"], [code_scheme()])
    place.add(with_configuration=False)
    assert place.texts_by_number() == {0: "jawaab 1"}


def test_with_neither_configuration_nor_files_it_says_so(place):
    place.data_root.mkdir()
    with pytest.raises(UsageError, match="no --pipeline-configuration was given, and there are no files"):
        place.add(with_configuration=False)


def test_the_downloaded_file_spares_reading_coda(place):
    place.put_output([message(1), message(2)])
    place.add()
    place.get()
    # Were Coda asked, it could not answer: its files are not what they should be.
    (place.folder / "show.json").write_text("damaged")
    place.add()


def test_a_file_downloaded_from_one_coda_tells_nothing_about_another(place, tmp_path):
    place.put_output([message(1), message(2)])
    place.add()
    place.get()
    place.credentials = make_credentials(tmp_path, "other")
    place.add()
    assert len(FolderCoda(tmp_path / "other").read_messages("show")) == 2


def test_what_the_other_coda_has_is_kept_so_that_it_is_not_read_again(place, tmp_path):
    place.get()
    place.put_output([message(1), message(2)])
    place.credentials = make_credentials(tmp_path, "other")
    place.add()
    (tmp_path / "other" / "coda" / "show.json").write_text("damaged")
    place.add()


def test_messages_that_somebody_else_added_since_the_download_are_not_added_again(place):
    place.put_output([message(1)])
    place.add()
    place.get()
    place.coda.add_messages("show", [message(2)])
    place.put_output([message(1), message(2), message(3)])
    place.add()
    assert place.texts_by_number() == {0: "jawaab 1", 1: "jawaab 2", 2: "jawaab 3"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('[{"MessageID": "a",\n "Text"', r"show\.json, line 2, column 8: not JSON"),
        ('{"MessageID": "a"}', "the document is not an array"),
        ("[17]", "message 1: it is not an object"),
        (
            '[{"MessageID": "a", "Text": "t", "CreationDateTimeUTC": "26/08/2020", "Labels": []}]',
            r"message 1 \(a\): 'Crea",
        ),
        (
            '[{"MessageID": "a", "Text": 1, "CreationDateTimeUTC": "2020-08-26", "Labels": [{}]}]',
            r"(?s)'Text'.*'Labels'",
        ),
    ],
)
def test_a_damaged_file_is_named_with_the_place(place, content, expected):
    path = place.put_output([])
    path.write_text(content)
    with pytest.raises(InputError, match=expected) as error:
        place.add()
    assert str(path) in str(error.value)


def test_two_messages_with_one_id_are_an_input_error(place):
    place.put_output([message(1), message(1)])
    with pytest.raises(InputError, match="message 2 .*an earlier message has the same"):
        place.add()


def test_a_scheme_that_differs_in_coda_stops_everything_before_anything_is_added(tmp_path):
    place = Place(tmp_path, datasets=("show", "gender", "age"))
    for dataset in ("show", "gender", "age"):
        place.put_output([message(1)], dataset)
    place.coda.create_dataset("show", [], [code_scheme(name="show")])
    in_coda = code_scheme("Scheme-gender")
    in_coda["Codes"][1]["StringValue"] = "wells"
    place.coda.create_dataset("gender", [], [in_coda])
    before = coda_folder_state(place.folder)
    with pytest.raises(ConfigurationError) as error:
        place.add()
    assert error.value.exit_status == 10
    assert (
        "dataset 'gender', scheme 'Scheme-gender', code 'code-water': StringValue is 'wells' in Coda, 'code_water' here"
        in str(error.value)
    )
    assert coda_folder_state(place.folder) == before


@pytest.mark.parametrize("edited", [1, 2, 3])
def test_a_scheme_that_differs_in_any_segment_stops_everything(place, edited):
    place.put_output([message(1)])
    other = code_scheme(name="show")
    other["Codes"][1]["StringValue"] = "wells"
    for number, segment in enumerate(("show", "show_2", "show_3"), 1):
        schemes = [other if number == edited else code_scheme(name="show"), WS_SCHEME]
        for name, content in (("", []), (".users", ["coder@example.org"]), (".code_schemes", schemes)):
            write(place.folder / f"{segment}{name}.json", content)
    before = coda_folder_state(place.folder)
    with pytest.raises(ConfigurationError) as error:
        place.add()
    segment = "show" if edited == 1 else f"show_{edited}"
    assert f"StringValue is 'wells' in Coda, 'code_water' here (in segment '{segment}')" in str(error.value)
    assert coda_folder_state(place.folder) == before


def test_a_scheme_that_one_segment_lacks_is_a_warning(place, caplog):
    place.put_output([message(1)])
    for segment, schemes in (("show", [WS_SCHEME]), ("show_2", [code_scheme(name="show"), WS_SCHEME])):
        for name, content in (("", []), (".users", ["coder@example.org"]), (".code_schemes", schemes)):
            write(place.folder / f"{segment}{name}.json", content)
    place.add()
    assert "Coda 'show': lacks code scheme 'Scheme-theme' (in segment 'show'): nobody" in caplog.text


def test_a_scheme_that_coda_lacks_is_a_warning(place, caplog):
    place.put_output([message(1)])
    place.coda.create_dataset("show", [], [WS_SCHEME])
    place.add()
    assert "Coda 'show': lacks code scheme 'Scheme-theme'" in caplog.text
    assert "Scheme-ws" not in caplog.text
    assert place.texts_by_number() == {0: "jawaab 1"}


def test_a_label_with_a_code_that_its_scheme_lacks_is_an_input_error_and_nothing_is_added(place):
    path = place.put_output([message(1), message(2, [label("code-lost", checked=False)])])
    with pytest.raises(
        InputError, match=r"1 message\(s\) have the label 'code-lost', which scheme 'Scheme-theme'"
    ) as error:
        place.add()
    assert str(path) in str(error.value)
    assert not place.coda.has_dataset("show")


def test_no_text_and_no_participant_is_in_the_log(place, caplog):
    caplog.set_level("DEBUG")
    place.put_output([message(1), message(2)])
    place.add()
    assert "added 2 of 2 messages" in caplog.text
    assert "jawaab" not in caplog.text


def keep_out_of_coda(place):
    """Give the plan a second scheme that coders do not see."""
    plans_path = place.configuration.parent / "coding_plans.json"
    plans = read(plans_path)
    coding = {"CodingMode": "SINGLE", "CodeScheme": "tone.json", "CodedField": "tone_coded", "InCoda": False,
              "FoldStrategy": "control_code_by_precedence"}  # fmt: skip
    plans["RQACodingPlans"][0]["CodingConfigurations"].append(coding)
    write(plans_path, plans)
    write(place.configuration.parent / "code_schemes" / "tone.json", code_scheme("Scheme-tone", "tone"))


def test_a_scheme_that_is_kept_out_of_coda_is_not_in_a_new_dataset_nor_missed_in_an_old_one(place, caplog):
    keep_out_of_coda(place)
    place.put_output([message(1)])
    place.add()
    assert [scheme["SchemeID"] for scheme in place.coda.read_code_schemes("show")] == ["Scheme-theme", "Scheme-ws"]
    place.put_output([message(1), message(2)])
    place.add()
    assert "lacks code scheme" not in caplog.text
    assert len(place.texts_by_number()) == 2


def test_a_scheme_that_coda_has_from_before_still_has_to_be_the_same(place):
    keep_out_of_coda(place)
    place.put_output([message(1)])
    place.add()
    path = place.folder / "show.code_schemes.json"
    old = code_scheme("Scheme-tone", "tone")
    old["Codes"][0]["DisplayText"] = "something else"
    write(path, [*read(path), old])
    place.put_output([message(1), message(2)])
    with pytest.raises(ConfigurationError, match="scheme 'Scheme-tone', code .*DisplayText"):
        place.add()
