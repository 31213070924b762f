// One rule that oxlint lacks. `sum += await next()` reads `sum` before it waits, so that of two such lines at work at once one is lost.

const noLostUpdate = {
  meta: { docs: { description: 'Await into a variable first, then add: what changed meanwhile is lost otherwise.' } },
  create(context) {
    return {
      AssignmentExpression(node) {
        if (node.operator !== '=' && containsAwait(node.right)) {
          context.report({ node, message: 'Await into a variable first, then assign: an update meanwhile is lost otherwise.' });
        }
      },
    };
  },
};

/** Whether evaluating the expression waits; functions inside it wait on their own account. */
function containsAwait(node) {
  if (node === null || typeof node !== 'object' || /Function/.test(node.type ?? '')) {
    return false;
  }
  if (node.type === 'AwaitExpression') {
    return true;
  }
  return Object.entries(node).some(
    ([key, value]) => key !== 'parent' && (Array.isArray(value) ? value.some(containsAwait) : containsAwait(value)),
  );
}

export default { meta: { name: 'postrider' }, rules: { 'no-lost-update': noLostUpdate } };
