const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.(ts|js|mjs)$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' }, sourceMaps: 'inline' },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1', '^tempered$': '<rootDir>/src/index.ts' },
  // Packages that ship only ES modules.
  transformIgnorePatterns: ['/node_modules/(?!(kysely|@google/genai)/)'],
};

// Needs a server of any kind: Temporal, PostgreSQL, a child process of ours.
const INTEGRATION = ['<rootDir>/test/(store|workflows|activities|worker|cli|e2e|replay|chaos)/'];

export default {
  testTimeout: 60_000,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/test/**/*.test.ts'], testPathIgnorePatterns: ['/node_modules/', ...INTEGRATION, '<rootDir>/test/client/server/', '<rootDir>/test/live/'] },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/{store,workflows,activities,worker,cli,e2e,replay,chaos}/**/*.test.ts', '<rootDir>/test/client/server/**/*.test.ts'],
    },
  ],
};
