// Theme: hands our palette to Ant Design. Loaded only with rooms that use its components, so the
// residents' first page stays small.
import { App as AntApp, ConfigProvider, theme as antTheme } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import 'dayjs/locale/zh-cn';
import dayjs from 'dayjs';
import { useEffect, type ReactNode } from 'react';
import { useI18n } from '../i18n';
import { useTheme } from './theme';

export default function AntTheme({ children }: { children: ReactNode }) {
  const { lang } = useI18n();
  const { mode, palette, large } = useTheme();
  useEffect(() => {
    dayjs.locale(lang === 'zh' ? 'zh-cn' : 'en');
  }, [lang]);
  return (
    <ConfigProvider
      locale={lang === 'zh' ? zhCN : enUS}
      button={{ autoInsertSpace: false }}
      theme={{
        algorithm: mode === 'dark' ? antTheme.darkAlgorithm : antTheme.defaultAlgorithm,
        token: {
          colorPrimary: mode === 'dark' ? '#3d8fdb' : palette.accent,
          colorError: mode === 'dark' ? '#ff8f8f' : '#b01717',
          colorLink: palette.accent,
          colorLinkHover: palette.text,
          colorBgBase: palette.surface,
          colorBgContainer: palette.surface,
          colorBgElevated: palette.surface,
          colorBgLayout: palette.page,
          colorTextBase: palette.text,
          colorTextSecondary: palette.muted,
          colorTextTertiary: palette.muted,
          colorTextDescription: palette.muted,
          colorTextPlaceholder: palette.muted,
          colorBorder: mode === 'dark' ? '#5a6b7a' : '#8695a3',
          colorBorderSecondary: palette.line,
          borderRadius: 4,
          fontSize: large ? 18 : 14,
          controlHeight: large ? 44 : 32,
          fontFamily: 'var(--font)',
          motion: !matchMedia('(prefers-reduced-motion: reduce)').matches,
        },
        components: {
          Button: { dangerColor: mode === 'dark' ? '#1c0505' : '#ffffff', primaryColor: mode === 'dark' ? '#06121e' : '#ffffff', ...(mode === 'dark' ? { colorPrimary: '#62b0f5', colorPrimaryHover: '#8ac6fb' } : {}) },
          Tabs: { itemSelectedColor: palette.accent, itemHoverColor: palette.text, itemActiveColor: palette.accent, inkBarColor: palette.accent },
          Table: { headerBg: palette.raised, headerColor: palette.text },
        },
      }}
    >
      <AntApp component={false}>{children}</AntApp>
    </ConfigProvider>
  );
}
