# docker build --build-arg GIT_COMMIT=$(git rev-parse --short=12 HEAD) -t cc-metric-store .
# docker run -v ./config.json:/etc/cc-metric-store/config.json:ro -v ccms:/var/lib/cc-metric-store -p 8080:8080 cc-metric-store
# Inside a container the configuration's main.addr must not be localhost: use ":8080".

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY . .
ARG GIT_COMMIT=
RUN npm ci --no-audit --no-fund && GIT_COMMIT="$GIT_COMMIT" npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production
RUN groupadd --system --gid 10001 cc-metric-store \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin cc-metric-store \
 && install -d -o 10001 -g 10001 -m 0750 /var/lib/cc-metric-store
COPY --from=build /build/package.json /opt/cc-metric-store/
COPY --from=build /build/node_modules /opt/cc-metric-store/node_modules
COPY --from=build /build/dist /opt/cc-metric-store/dist
# Relative paths of the configuration, such as ./var/checkpoints, end up in the volume.
WORKDIR /var/lib/cc-metric-store
VOLUME /var/lib/cc-metric-store
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# The tools as well: docker run ... cc-metric-store inspect FILE
ENTRYPOINT ["node", "/opt/cc-metric-store/dist/command.js"]
CMD ["-config", "/etc/cc-metric-store/config.json"]
