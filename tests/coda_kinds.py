"""Both kinds of Coda, and what people do to them and see of them without the pipeline."""

from coda_examples import WS_SCHEME, code_scheme, read, start_adding, write
from engagement.services.coda.format import name_segment
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials

USERS = ["coder@example.org", "reviewer@example.org"]
SCHEMES = [code_scheme(), WS_SCHEME]  # in the order of their ids, in which Firestore gives them back


class Folder:
    """The embedded folder, and what people do to it and see of it."""

    # Metrics have a file of their own: after a kill between the two they are right again once somebody adds.
    writes_metrics_with_messages = False

    def __init__(self, directory):
        self.coda = open_coda(EmbeddedCredentials(directory))
        self._directory = directory
        self._folder = directory / "coda"

    def key(self):
        return {"type": "embedded", "directory": str(self._directory)}

    def start_adding(self, dataset, messages):
        return start_adding(EmbeddedCredentials(self._directory), dataset, messages)

    def put_labels(self, dataset, message_id, labels):
        self.coda.save_labels(dataset, [{"MessageID": message_id, "Labels": labels}])

    def put_document(self, segment, name, document):
        path = self._folder / f"{segment}.json"
        write(path, [*read(path), document])
        return f"{path}, message {len(read(path))}"

    def segments(self, dataset):
        names = [name_segment(dataset, number) for number in range(1, 9)]
        return {name: read(self._folder / f"{name}.json") for name in names if (self._folder / f"{name}.json").exists()}

    def metrics(self, segment):
        return read(self._folder / f"{segment}.metrics.json")

    def users(self, segment):
        return read(self._folder / f"{segment}.users.json")

    def code_schemes(self, segment):
        return read(self._folder / f"{segment}.code_schemes.json")


class Firestore:
    """A Firestore of its own, and what people do to it and see of it, with the client alone."""

    writes_metrics_with_messages = True

    def __init__(self, project, emulator):
        from google.cloud import firestore

        self._firestore = firestore
        self.client = firestore.Client(project=project)
        self._credentials, self._emulator = GoogleCredentials(project, {"project_id": project}), emulator
        self.coda = open_coda(self._credentials)

    def key(self):
        return {"type": "service_account", "project_id": self.client.project}

    def start_adding(self, dataset, messages):
        return start_adding(self._credentials, dataset, messages, self._emulator)

    def put_labels(self, dataset, message_id, labels):
        for segment in self._names(dataset):
            document = self.client.document("datasets", segment, "messages", message_id)
            if document.get().exists:
                document.update({"Labels": labels, "LastUpdated": self._firestore.SERVER_TIMESTAMP})

    def put_document(self, segment, name, document):
        self._in(segment, "messages").document(name).set(document)
        return f"datasets/{segment}/messages/{name}"

    def segments(self, dataset):
        return {
            name: [found.to_dict() for found in self._in(name, "messages").stream()] for name in self._names(dataset)
        }

    def metrics(self, segment):
        return self._in(segment, "metrics").document("messages").get().to_dict()

    def users(self, segment):
        return self.client.document("datasets", segment).get().get("users")

    def code_schemes(self, segment):
        return [found.to_dict() for found in self._in(segment, "code_schemes").stream()]

    def _names(self, dataset):
        counter = self.client.document("segment_counts", dataset).get()
        count = counter.get("segment_count") if counter.exists else 1
        return [name_segment(dataset, number + 1) for number in range(count)]

    def _in(self, segment, collection):
        return self.client.collection("datasets", segment, collection)


def numbers_by_text(messages):
    return {item["Text"]: item["SequenceNumber"] for item in messages}
