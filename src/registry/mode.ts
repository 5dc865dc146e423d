/** The version in which handles become enhanced without asking. */
export const FLIP_VERSION = '0.3.0';

/** The release phase: false until {@link FLIP_VERSION}, which sets it to true and nothing else. */
export const ENHANCED_BY_DEFAULT = false;

/** Variables that choose the kind of handle; the first one that is set decides. */
const VARIABLES = ['TEMPERED_ENHANCED', 'MODELFORGE_ENHANCED'] as const;

/** What the choice depends on. */
export interface ModePlace {
  /** Where the variables are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What holds when nobody chooses. */
  readonly enhancedByDefault: boolean;
}

let noticed = false;

/** Told once per process, to whoever relies on a default that will change. */
function notice(): void {
  if (noticed) return;
  noticed = true;
  process.emitWarning(
    `From ${FLIP_VERSION} on getLlm() gives enhanced handles by default. Pass enhanced: false to keep plain ones, or ` +
      'enhanced: true (or TEMPERED_ENHANCED=true) to have enhanced ones now.',
    { type: 'DeprecationWarning', code: 'TEMPERED_ENHANCED_DEFAULT' },
  );
}

/**
 * Which kind of handle: what was asked for, else the environment, where only `true` in any case enables and `false`
 * chooses plain handles, else the release's default. Emits the notice when the default is not enhanced.
 */
export function isEnhanced(asked: boolean | undefined, { env, enhancedByDefault }: ModePlace): boolean {
  if (asked !== undefined) return asked;
  const word = VARIABLES.map((name) => env[name]?.trim().toLowerCase()).find(
    (value) => value !== undefined && value !== '',
  );
  if (word === 'true') return true;
  if (word === 'false') return false;
  if (!enhancedByDefault) notice();
  return enhancedByDefault;
}
