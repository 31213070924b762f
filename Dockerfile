# One image for the API, the worker, the migrations and the command line: the command says which.
FROM node:24-slim AS build
WORKDIR /app
ENV CI=true
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml tsconfig.base.json ./
COPY packages/shared/package.json packages/shared/
COPY packages/api/package.json packages/api/
COPY packages/worker/package.json packages/worker/
COPY packages/cli/package.json packages/cli/
RUN npm install --global --no-audit --no-fund "$(node -p "require('./package.json').packageManager")" \
    && pnpm install --frozen-lockfile --no-optional --filter postrider --filter '@postrider/*'
COPY packages/shared packages/shared
COPY packages/api packages/api
COPY packages/worker packages/worker
COPY packages/cli packages/cli
RUN node_modules/.bin/tsc -b packages/api packages/worker packages/cli && chmod +x packages/cli/dist/main.js
# The dependencies of production only: neither tests nor tools go into the image.
RUN rm -rf node_modules packages/*/node_modules \
    && pnpm install --frozen-lockfile --prod --no-optional --filter '@postrider/*' \
    && rm -rf packages/*/src packages/*/tsconfig*.json packages/*/dist/.tsbuildinfo \
    && find node_modules -name '*.map' -delete

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production NODE_OPTIONS=--enable-source-maps
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/packages packages
COPY package.json LICENSE ./
COPY migrations migrations
RUN ln -s /app/packages/cli/dist/main.js /usr/local/bin/postrider
USER node
STOPSIGNAL SIGTERM
# The flags keep the heap small at the price of more frequent collections: docs/scaling.md has the figures.
# The API; docker-compose.yml has the commands of a worker and of the migrations.
CMD ["node", "--max-semi-space-size=16", "--heap-growing-percent=100", "--no-parallel-scavenge", "packages/api/dist/main.js"]
