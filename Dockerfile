# The image for those who have Docker: `docker build -t todo-service .`
# `make image` makes the same files into an image without Docker, and is what the tests run.
FROM node:20-bookworm-slim AS page
# The two libraries of the page; the lock file has a hash of each.
COPY tools/page /page
RUN npm ci --prefix /page --ignore-scripts --no-audit --no-fund

FROM debian:12 AS build
COPY tools/packages.txt /packages.txt
# The compiler and the libraries only, of all that the project's tests need.
RUN apt-get update && \
    sed -n '/^# compiler and build/,/^# tests and benchmarks/p' /packages.txt | sed 's/#.*//' | \
    DEBIAN_FRONTEND=noninteractive xargs apt-get install -y --no-install-recommends ca-certificates python3
COPY . /source
WORKDIR /source
COPY --from=page /page/node_modules /page
RUN cmake --preset release -DTODO_PAGE_LIBRARIES=/page && cmake --build --preset release --target todo-service && \
    python3 -m tools.image root build/release/todo-service /image

FROM scratch
COPY --from=build /image /
USER 65532:65532
ENTRYPOINT ["/usr/bin/todo-service"]
