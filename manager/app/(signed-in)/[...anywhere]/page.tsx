import { notFound } from 'next/navigation';

/** Any other path: told inside the manager's own frame, and only to those who are signed in. */
export default function Anywhere() {
  notFound();
}
