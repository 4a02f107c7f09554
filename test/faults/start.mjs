// Starts a build of the program: `start.mjs PROGRAM ARGUMENT...`.
const [, , program, ...args] = process.argv
const { main } = await import(program)
await main(args)
