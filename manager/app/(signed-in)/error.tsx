'use client';

import { CrashView } from '../../components/problem/crash-view.tsx';

export default CrashView;
