import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';

/** Which room of src/ may import which; see ARCHITECTURE.md, "Rooms". */
export const arrows = JSON.parse(readFileSync(new URL('../../etc/rooms.json', import.meta.url), 'utf8'));

/** The room of a file below `src`, or null. A file directly in `src` is a room of its own. */
function roomOf(file, src) {
  const [first] = path.relative(src, file).split(path.sep);
  return first === undefined || first === '' || first === '..' ? null : first;
}

/** What is wrong with an import of `source` from `file`; null when nothing is. */
export function judge({ file, src, source, typeOnly }) {
  const room = roomOf(file, src);
  if (room === null) return null;
  const rule = arrows.rooms[room];
  if (rule === undefined) return `src/${room} is not in etc/rooms.json.`;
  if (source.startsWith('.')) {
    const target = roomOf(path.resolve(path.dirname(file), source), src);
    if (target === room || target === null) return target === null ? `${source} lies outside src/.` : null;
    if (rule.code.includes(target) || (typeOnly && rule.types.includes(target))) return null;
    const hint = rule.types.includes(target) ? ' Its types are allowed: use `import type`.' : '';
    return `${room} may not import ${target}.${hint}`;
  }
  if (isBuiltin(source)) {
    return arrows.withoutNode.includes(room) ? `${room} may not use Node's own modules.` : null;
  }
  const owner = Object.keys(arrows.packages).find((name) =>
    name.endsWith('/') ? source.startsWith(name) : source === name,
  );
  if (owner === undefined || arrows.packages[owner].includes(room)) return null;
  return `${room} may not import ${source}: it belongs to ${arrows.packages[owner].join(', ') || 'no room'}.`;
}

function create(context) {
  const src = path.join(context.cwd, 'src');
  const check = (node, typeOnly) => {
    if (typeof node.source?.value !== 'string') return;
    const message = judge({ file: context.filename, src, source: node.source.value, typeOnly });
    if (message !== null) context.report({ node, message });
  };
  return {
    ImportDeclaration: (node) => {
      check(node, node.importKind === 'type');
    },
    ExportNamedDeclaration: (node) => {
      check(node, node.exportKind === 'type');
    },
    ExportAllDeclaration: (node) => {
      check(node, node.exportKind === 'type');
    },
    ImportExpression: (node) => {
      check(node, false);
    },
    TSImportType: (node) => {
      check(node, true);
    },
  };
}

/** ESLint rule: imports follow the arrows between rooms. */
export default { meta: { type: 'problem', schema: [] }, create };
