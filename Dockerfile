# Hookyard and nothing else: one static binary, no shell, no root. Build it with
#
#     docker build -t hookyard .          # or: buildah build -t hookyard --format docker .
#     docker run --read-only --tmpfs /tmp -p 8080:8080 -v hookyard:/var/lib/hookyard hookyard
#
# `cargo xtask image` builds it from a binary made on this machine and tries it.

FROM docker.io/library/rust:1.95-trixie AS build
# Node builds the dashboard; Debian's is new enough.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm
WORKDIR /src
COPY . .
# A binary with the dashboard in it that needs no libraries of the system. Only with `--target` are build scripts and macros left as they are.
RUN HOOKYARD_UI=require RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --package hookyard-cli \
      --target "$(rustc -vV | sed -n 's/^host: //p')" --target-dir /built \
 && mkdir -p /out/bin /out/empty && cp /built/*/release/hookyard /out/bin/

FROM scratch
COPY --from=build /out/bin /usr/bin
COPY --from=build --chown=10001:10001 /out/empty /var/lib/hookyard
COPY --from=build --chown=10001:10001 /out/empty /tmp
# Roots for receivers' certificates come with the binary; `SSL_CERT_FILE` names others.
ENV PATH=/usr/bin HOOKYARD_DATA=/var/lib/hookyard HOOKYARD_LISTEN=0.0.0.0:8080 HOOKYARD_LOG_FORMAT=json
USER 10001:10001
WORKDIR /var/lib/hookyard
VOLUME /var/lib/hookyard
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["/usr/bin/hookyard", "healthcheck"]
ENTRYPOINT ["/usr/bin/hookyard"]
CMD ["serve"]
