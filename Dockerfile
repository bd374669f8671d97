# One image for every stage. `docker build .` is all it takes; run_scripts/ does it, and runs the containers.
FROM python:3.12-slim-bookworm

# The one place that names pipenv's version: run_scripts/lib/environment.sh reads it here for the host.
ARG PIPENV_VERSION=2026.10.3

WORKDIR /app
COPY Pipfile Pipfile.lock ./
# The lock is checked without the machine's pip settings, which pipenv would count in: they say where packages come from,
# not which. pipenv has an environment of its own that is gone when the layer ends, so the image holds what the lock names.
RUN python -m venv /tmp/pipenv \
    && /tmp/pipenv/bin/pip install --no-cache-dir "pipenv==${PIPENV_VERSION}" \
    && PIP_CONFIG_FILE=/dev/null /tmp/pipenv/bin/pipenv verify \
    && PIP_NO_CACHE_DIR=1 PIPENV_NOSPIN=1 /tmp/pipenv/bin/pipenv sync --system --python "$(command -v python)" \
    && rm -rf /tmp/pipenv /root/.cache /root/.local

COPY configurations/demo configurations/demo
COPY src src
# Any user has to be able to read it, whatever the clone's permissions are.
RUN chmod -R a+rX . && python -m compileall -q src

# A container runs as whoever started it, a user that the image does not know: HOME has to be writable by anybody.
ENV PYTHONPATH=/app/src PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib
USER nobody

# What a stage writes is for its user alone.
ENTRYPOINT ["sh", "-c", "umask 077; exec python -m engagement \"$@\"", "engagement"]
