/** Members whose strings sign or open something; the audit log has the headers of a target by this name. */
const secretMember = /(secret|token|biscuit|password)s?$|^target_headers$/;
/** Maps that belong to the user: what stands in them is theirs to name, and is no secret of ours. */
const usersMaps: ReadonlySet<string> = new Set(['labels', 'metadata', 'payload']);
/** An application's secrets have no other id than the token: its end tells them apart, and is too little to guess the rest. */
const endingLength = 6;

/** A copy of what the API answered without what signs or opens something: secrets, tokens, and headers sent to receivers. */
export function hideSecrets(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(hideSecrets);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hideMember(name, member)]));
}

function hideMember(name: string, member: unknown): unknown {
  if (usersMaps.has(name)) {
    return member;
  }
  if (name === 'target' && typeof member === 'object' && member !== null && 'headers' in member) {
    return { ...member, headers: hideStrings(member.headers) };
  }
  if (name === 'token' && typeof member === 'string') {
    return endingOf(member);
  }
  return secretMember.test(name) ? hideStrings(member) : hideSecrets(member);
}

function hideStrings(value: unknown): unknown {
  if (typeof value === 'string') {
    return '[hidden]';
  }
  if (Array.isArray(value)) {
    return value.map(hideStrings);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hideStrings(member)]));
  }
  return value;
}

/** What is shown of a token. */
export function endingOf(token: string): string {
  return `…${token.slice(-endingLength)}`;
}
