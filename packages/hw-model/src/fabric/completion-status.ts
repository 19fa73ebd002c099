// CompletionStatus: what a memory request came to, as its requester's completion would say.
// Source followed: PCI Express Base Specification 6.0, section 2.2.9 (completion status field).
// Simplified: no Request Retry Status; posted writes have no completion on a real bus, but the model tells their fate too.

/**
 * Fate of one memory request. Anything but `success` moved no byte.
 * @public
 */
export type CompletionStatus = 'success' | 'unsupported-request' | 'completer-abort';
