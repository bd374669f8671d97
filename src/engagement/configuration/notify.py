"""Where runs are told of: Notify and StatusPage.

The run script reads both as plain text, because it must tell of a configuration that is no JSON, too.
"""

from engagement.configuration.model import Model, key
from engagement.configuration.plain_values import AbsolutePath, CommandLine, WebAddress


class Notify(Model):
    """Who is told at the end of every run, however it ended."""

    ping_url: WebAddress | None = key(
        "PingURL",
        "address of a dead-man's switch such as healthchecks: requested as it is after a success, with /start and /fail",
        "https://hc.example.org/ping/0f2d5a0e-5c1b-4a53-8d3e-6f0f3a2b9c11",
        None,
    )
    webhook_url: WebAddress | None = key(
        "WebhookURL",
        "address that gets each run's end as JSON, as Slack reads it",
        "https://hooks.example.org/a/b",
        None,
    )
    command: CommandLine | None = key(
        "Command",
        "command that gets the same JSON on its standard input; only run with --allow-project-code",
        "/srv/show/tell.sh",
        None,
    )


class StatusPage(Model):
    """A page that shows how projects are, renewed at the end of every run."""

    file: AbsolutePath = key("File", "HTML file to write", "/srv/www/engagement/status.html")
    data_roots: tuple[AbsolutePath, ...] = key(
        "DataRoots",
        "data roots to show: each of them, a folder that holds some, or a file that lists them; without it the run's own",
        ["/srv"],
        (),
    )
