/** The version of this package, as requests and the roster show it; a test holds it to package.json. */
export const version = '0.1.0';
