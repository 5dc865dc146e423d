import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import docs from './scripts/lint/docs.mjs';
import rooms from './scripts/lint/rooms.mjs';

const own = { rules: { docs, rooms } };

/** How long files and functions may be. */
function size(file, fn) {
  return {
    'max-lines': ['error', { max: file, skipBlankLines: false, skipComments: false }],
    ...(fn === null
      ? {}
      : { 'max-lines-per-function': ['error', { max: fn, skipBlankLines: false, skipComments: false }] }),
  };
}

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'coverage/',
      'node_modules/',
      '.tempered/',
      'examples/**/.cache/',
      'bench/.cache/',
      'bench/results/',
      '**/.tempered/',
    ],
  },
  // Rules are met, not waived: comments can't switch them off.
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { own },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-unsafe-type-assertion': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // `[...text]` goes through code points, which is what is meant.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'], location: 'anywhere' }],
      'own/rooms': 'error',
      ...size(300, 60),
    },
  },
  { files: ['src/**/*.ts'], rules: { 'own/docs': 'error' } },
  {
    // A worker evaluates these once for all its workflows: state of one may live in no module.
    files: ['src/workflows/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...['Program', 'Program > ExportNamedDeclaration'].flatMap((place) => [
          { selector: `${place} > VariableDeclaration[kind!="const"]`, message: 'A module keeps no state here.' },
          {
            selector: `${place} > VariableDeclaration > VariableDeclarator > NewExpression`,
            message: 'A module keeps no state here: what is made with `new` can be changed.',
          },
        ]),
      ],
    },
  },
  { files: ['src/cli/**/*.ts', 'examples/**', 'scripts/**', 'bench/**'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: {
      ...size(500, null),
      'max-lines-per-function': 'off',
      // Fakes implement async interfaces without waiting for anything.
      '@typescript-eslint/require-await': 'off',
      // jest types its matchers (`expect.any(…)`) as `any`.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'URL',
          'fetch',
          'setTimeout',
          'clearTimeout',
          'AbortController',
          'AbortSignal',
          'Buffer',
          'performance',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: { eqeqeq: 'error', ...size(300, 60) },
  },
);
