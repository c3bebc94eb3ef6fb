/** `HOST:PORT` as in a URL, with brackets around an IPv6 address (RFC 3986 §3.2). */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
