export async function main() { return { checked: 0, failures: [] }; }
