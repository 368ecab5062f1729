/**
 * Where the HTTP server listens unless told otherwise.
 */

/** The port that Dapr's sidecar listens on, so that clients of its actor API find Loom there. */
export const DEFAULT_PORT = 3500

/** This machine only: there is no authentication. */
export const DEFAULT_HOST = '127.0.0.1'
