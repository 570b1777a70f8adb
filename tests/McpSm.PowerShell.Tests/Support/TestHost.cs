using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;
using McpSm.Samples;

namespace McpSm.PowerShell.Tests.Support;

/// <summary>A host that records its output, follows sign-in URLs, and answers prompts from a queue.</summary>
public sealed class TestHost : PSHost
{
    private readonly TestUi _ui = new();

    public List<string> Lines => _ui.Shown;

    /// <summary>The answers to the next prompts, in order.</summary>
    public Queue<string> Typed => _ui.Typed;

    /// <summary>Whether the host follows a sign-in URL.</summary>
    public bool Clicks { get => _ui.Clicks; set => _ui.Clicks = value; }

    /// <summary>Follows a sign-in URL.</summary>
    public Func<Uri, Task> Click { get => _ui.Click; set => _ui.Click = value; }

    public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;
    public override CultureInfo CurrentUICulture => CultureInfo.InvariantCulture;
    public override Guid InstanceId { get; } = Guid.NewGuid();
    public override string Name => "TestHost";
    public override PSHostUserInterface UI => _ui;
    public override Version Version => new(1, 0);
    public override void EnterNestedPrompt() => throw new NotSupportedException();
    public override void ExitNestedPrompt() => throw new NotSupportedException();
    public override void NotifyBeginApplication() { }
    public override void NotifyEndApplication() { }
    public override void SetShouldExit(int exitCode) { }

    private sealed class TestUi : PSHostUserInterface
    {
        public List<string> Shown { get; } = [];
        public Queue<string> Typed { get; } = new();
        public bool Clicks { get; set; } = true;
        public Func<Uri, Task> Click { get; set; } = async url => (await StandInBrowser.ClickThroughAsync(url)).Dispose();

        // Like many hosts, this one cannot poll for keys, so Mcpsm must use ReadLine.
        public override PSHostRawUserInterface RawUI => null!;

        public override string ReadLine() => Typed.TryDequeue(out var line) ? line : null!;

        public override SecureString ReadLineAsSecureString() => new System.Net.NetworkCredential("", Typed.Dequeue()).SecurePassword;

        public override void Write(string value) => Show(value);

        public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Show(value);

        public override void WriteLine(string value) => Show(value);

        public override void WriteErrorLine(string value) => Show(value);

        public override void WriteDebugLine(string message) => Show(message);

        public override void WriteVerboseLine(string message) => Show(message);

        public override void WriteWarningLine(string message) => Show(message);

        public override void WriteProgress(long sourceId, ProgressRecord record) { }

        public override Dictionary<string, PSObject> Prompt(string caption, string message,
            System.Collections.ObjectModel.Collection<FieldDescription> descriptions) =>
            throw new NotSupportedException("Nothing prompts so in these tests.");

        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
            throw new NotSupportedException();

        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName,
            PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) => throw new NotSupportedException();

        public override int PromptForChoice(
            string caption, string message, System.Collections.ObjectModel.Collection<ChoiceDescription> choices, int defaultChoice)
        {
            Show(message);
            return Typed.Dequeue() == "y" ? 0 : 2;
        }

        private void Show(string text)
        {
            lock (Shown)
            {
                Shown.Add(text);
            }
            if (Clicks && text.StartsWith("http", StringComparison.Ordinal) && text.Contains("response_type=code"))
            {
                _ = Task.Run(() => Click(new Uri(text)));
            }
        }
    }
}
