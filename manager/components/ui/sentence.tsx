/** A sentence of the API's: what stands between backticks is code. */
export function Sentence({ text }: { readonly text: string }) {
  return text.split('`').map((part, index) =>
    index % 2 === 0 ? (
      part
    ) : (
      <code key={part} className="font-mono text-[0.92em]">
        {part}
      </code>
    ),
  );
}
