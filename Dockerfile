# A Tempered worker. docker build -t tempered . && docker run tempered worker
FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:20-slim
# The Temporal SDK's native part needs the system's certificates for TLS.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates tini && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY bin bin
USER node
# tini hands SIGTERM on, so that the worker drains before it ends.
ENTRYPOINT ["tini", "--", "/app/bin/tempered"]
CMD ["worker"]
