/** How a command shows what it found: for people, or as JSON for programs. */
export interface Output {
  readonly json: boolean;
}

export const say = (text: string): void => void process.stdout.write(`${text}\n`);

export function show<Value>(output: Output, value: Value, forPeople: (value: Value) => string): void {
  say(output.json ? JSON.stringify(value, null, 2) : forPeople(value));
}
