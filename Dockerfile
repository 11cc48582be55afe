# docker build -t prescreen .   README.md tells how to run it. With --entrypoint prescreen-feeds it fetches lists.
FROM debian:bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev make libmicrohttpd-dev libjansson-dev libjpeg62-turbo-dev \
    libpng-dev zlib1g-dev libwebp-dev libgif-dev libtiff-dev libheif-dev libssl-dev libseccomp-dev libsqlite3-dev libcyaml-dev libyaml-dev libcurl4-openssl-dev \
    libyajl-dev libxml2-dev libxxhash-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Makefile README.md CHANGELOG.md LICENSE ./
COPY config config
COPY deploy deploy
COPY include include
COPY src src
RUN make -j"$(nproc)" all && make install DESTDIR=/out

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmicrohttpd12 libjansson4 libjpeg62-turbo libpng16-16 zlib1g libgif7 libtiff6 libwebp7 \
    libwebpdemux2 libheif1 libssl3 libseccomp2 libsqlite3-0 libcyaml1 libyaml-0-2 libcurl4 libyajl2 libxml2 libxxhash0 ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin prescreen \
 && install -d -o prescreen -g prescreen -m 700 /data
COPY --from=build /out/usr/local /usr/local
ENV PRESCREEN_DATA_DIR=/data
VOLUME /data
EXPOSE 8750
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/local/bin/prescreen", "check", "--ready"]
ENTRYPOINT ["/usr/local/bin/prescreend"]
