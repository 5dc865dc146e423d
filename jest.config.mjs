const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.(ts|js|mjs)$': [
      '@swc/jest',
      {
        jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1', '^tempered$': '<rootDir>/src/index.ts' },
  // Packages that ship only ES modules.
  transformIgnorePatterns: ['/node_modules/(?!(kysely|@google/genai|@marcbachmann/cel-js)/)'],
};

// Folders whose tests need a server of any kind: Temporal, PostgreSQL, a child process of ours.
const INTEGRATION = [
  'store',
  'workflows',
  'activities',
  'worker',
  'cli',
  'e2e',
  'replay',
  'chaos',
  'client/server',
  'project',
];

/** The pure rooms: nothing in them waits for anything, so their tests can reach nearly every line. */
const PURE = ['task', 'recovery', 'models', 'caching', 'limits'];

export default {
  testTimeout: 60_000,
  collectCoverageFrom: PURE.map((room) => `src/${room}/**/*.ts`),
  coverageReporters: ['text-summary', 'json-summary'],
  coverageThreshold: Object.fromEntries(
    ['global', ...PURE.map((room) => `./src/${room}/`)].map((place) => [place, { lines: 90, functions: 90 }]),
  ),
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/live/',
        ...INTEGRATION.map((folder) => `<rootDir>/test/${folder}/`),
      ],
    },
    {
      ...shared,
      displayName: 'integration',
      setupFilesAfterEnv: ['<rootDir>/test/support/retry.ts'],
      testMatch: INTEGRATION.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
    },
    { ...shared, displayName: 'live', testMatch: ['<rootDir>/test/live/**/*.test.ts'] },
  ],
};
