# The service without its tests. Build: docker build -t loa . Run: docker run -v /etc/loa:/etc/loa -v loa:/var/lib/loa -p 8080:8080 loa

FROM node:22-slim AS packages
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM python:3.12-slim AS build
WORKDIR /build
COPY requirements-service.lock ./
RUN python -m venv /opt/loa \
 && /opt/loa/bin/pip install --no-cache-dir --require-hashes -r requirements-service.lock
COPY --from=packages /build/node_modules node_modules
COPY package-lock.json ./
COPY bot bot
COPY templates templates
RUN python -m bot.assets --copy-only

FROM python:3.12-slim
RUN useradd --system --home-dir /var/lib/loa --create-home loa
WORKDIR /srv/loa
COPY --from=build /opt/loa /opt/loa
COPY config.example.toml ./
COPY bot bot
COPY handlers handlers
COPY jobs jobs
COPY templates templates
COPY --from=build /build/var/assets var/assets
ENV PATH=/opt/loa/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LOA__SERVER__HOST=0.0.0.0
USER loa
VOLUME /var/lib/loa
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["serve", "--config", "/etc/loa/config.toml"]
