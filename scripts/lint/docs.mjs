const DECLARATIONS = new Set([
  'FunctionDeclaration',
  'ClassDeclaration',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSEnumDeclaration',
  'VariableDeclaration',
  'TSDeclareFunction',
]);

/** The name a member is known by, for the message. */
function memberName(member) {
  if (member.key?.type === 'Identifier') return member.key.name;
  return member.key?.type === 'Literal' ? String(member.key.value) : 'member';
}

/** Members a reader of the exported declaration sees. */
function visibleMembers(declaration) {
  if (declaration.type === 'TSInterfaceDeclaration') return declaration.body.body;
  if (declaration.type === 'TSTypeAliasDeclaration' && declaration.typeAnnotation.type === 'TSTypeLiteral') {
    return declaration.typeAnnotation.members;
  }
  if (declaration.type !== 'ClassDeclaration') return [];
  return declaration.body.body.filter(
    (member) =>
      member.type !== 'StaticBlock' &&
      member.kind !== 'constructor' &&
      member.accessibility !== 'private' &&
      member.accessibility !== 'protected' &&
      member.key?.type !== 'PrivateIdentifier' &&
      member.override !== true,
  );
}

function create(context) {
  const { sourceCode } = context;
  const documented = (node) =>
    sourceCode.getCommentsBefore(node).some((comment) => comment.type === 'Block' && comment.value.startsWith('*'));
  const seen = new Set();
  // Overloads and members of one name share the first one's comment.
  const check = (node, name, scope) => {
    const key = `${scope}.${name}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (!documented(node)) context.report({ node, message: `${name} is exported and has no doc comment.` });
  };
  return {
    ExportNamedDeclaration(node) {
      const { declaration } = node;
      if (declaration === null || !DECLARATIONS.has(declaration.type)) return;
      const name = declaration.id?.name ?? declaration.declarations?.[0]?.id?.name ?? 'export';
      check(node, name, 'file');
      for (const member of visibleMembers(declaration)) check(member, `${name}.${memberName(member)}`, name);
    },
    ExportDefaultDeclaration(node) {
      if (DECLARATIONS.has(node.declaration.type)) check(node, 'default', 'file');
    },
  };
}

/** ESLint rule: what a file exports, and the members of it, have doc comments. */
export default { meta: { type: 'suggestion', schema: [] }, create };
