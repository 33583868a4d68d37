# syntax=docker/dockerfile:1
# Parley as an image: one static program, the authorities that the web trusts,
# and nothing else; no shell, no user but its own.
#
#   docker build -t parley:local .

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/parley ./cmd/parley
# What an unprivileged program may write to; volumes begin as copies of these.
RUN mkdir -p /out/data /out/media /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/parley /parley
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/media /media
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
ENV PARLEY_DATA=/data PARLEY_LISTEN=0.0.0.0:8080 PARLEY_LOG_FORMAT=json
EXPOSE 8080
# A stop takes 10 seconds at most: give it 15 (docker run --stop-timeout 15).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10m --retries=3 CMD ["/parley", "health"]
ENTRYPOINT ["/parley"]
CMD ["serve"]
