// Pure: passkeys between the server's JSON (base64url) and the browser's bytes.

type Json = Record<string, unknown>;

const bytes = (text: unknown): ArrayBuffer => {
  const plain = atob(String(text).replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0)).buffer;
};

const text = (buffer: ArrayBuffer | null | undefined): string | undefined => {
  if (!buffer) return undefined;
  const plain = Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join('');
  return btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
};

const withBytes = (list: unknown): PublicKeyCredentialDescriptor[] =>
  ((list as Json[] | null | undefined) ?? []).map((c) => ({ ...c, id: bytes(c.id) }) as unknown as PublicKeyCredentialDescriptor);

/** Can this browser make and use passkeys at this address? */
export function passkeysHere(): boolean {
  return typeof PublicKeyCredential !== 'undefined' && isSecureContext && !/^[\d.]+$|:/.test(location.hostname);
}

/** Asks the device for a new passkey; answers what the server checks. */
export async function createPasskey(question: Json): Promise<Json> {
  const asked = question.publicKey as Json;
  const user = asked.user as Json;
  const made = (await navigator.credentials.create({
    publicKey: { ...asked, challenge: bytes(asked.challenge), user: { ...user, id: bytes(user.id) }, excludeCredentials: withBytes(asked.excludeCredentials) } as unknown as PublicKeyCredentialCreationOptions,
  })) as PublicKeyCredential | null;
  if (!made) throw new DOMException('no passkey', 'NotAllowedError');
  const answer = made.response as AuthenticatorAttestationResponse;
  return {
    id: made.id, rawId: text(made.rawId), type: made.type,
    response: { attestationObject: text(answer.attestationObject), clientDataJSON: text(answer.clientDataJSON) },
  };
}

/** Asks the device for a passkey it has. */
export async function getPasskey(question: Json): Promise<Json> {
  const asked = question.publicKey as Json;
  const found = (await navigator.credentials.get({
    publicKey: { ...asked, challenge: bytes(asked.challenge), allowCredentials: withBytes(asked.allowCredentials) } as unknown as PublicKeyCredentialRequestOptions,
  })) as PublicKeyCredential | null;
  if (!found) throw new DOMException('no passkey', 'NotAllowedError');
  const answer = found.response as AuthenticatorAssertionResponse;
  return {
    id: found.id, rawId: text(found.rawId), type: found.type,
    response: {
      authenticatorData: text(answer.authenticatorData), clientDataJSON: text(answer.clientDataJSON),
      signature: text(answer.signature), userHandle: text(answer.userHandle),
    },
  };
}
