# The service in one image; docker-compose.yml puts a database and a broker beside it.
#
# center.host must be 0.0.0.0 in a container to be reached, and then the service refuses to start
# without a token: give GRIDSENTRY_CENTER_TOKENS, as docker-compose.yml does.

FROM python:3.13-slim-bookworm AS build
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
COPY pyproject.toml uv.lock README.md LICENSE ./
# What is locked first: a change of our code does not fetch it again.
RUN uv sync --frozen --no-default-groups --no-install-project
# The pages' libraries, from npm by hash; no Node is needed.
COPY tools tools
RUN python tools/assets.py run
COPY contracts contracts
COPY ingest ingest
COPY detectors detectors
COPY router router
COPY store store
COPY center center
COPY simulators simulators
COPY gridsentry gridsentry
RUN uv sync --frozen --no-default-groups --no-editable

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/gridsentry --shell /usr/sbin/nologin gridsentry \
    && install -d -o gridsentry -g gridsentry -m 700 /var/lib/gridsentry \
    && install -d /etc/gridsentry/city
COPY --from=build /app/.venv /app/.venv
COPY deploy/gridsentry.toml /etc/gridsentry/gridsentry.toml
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
USER gridsentry
WORKDIR /var/lib/gridsentry
VOLUME /var/lib/gridsentry
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=3)"]
ENTRYPOINT ["gridsentry"]
CMD ["serve", "--config", "/etc/gridsentry/gridsentry.toml"]
