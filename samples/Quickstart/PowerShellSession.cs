using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using System.Reflection;
using System.Security;

namespace McpSm.Samples.Quickstart;

/// <summary>The module in an embedded PowerShell engine: types a command, shows what a user sees.</summary>
internal sealed class PowerShellSession : IDisposable
{
    private readonly Runspace _runspace;

    public PowerShellSession(string folder)
    {
        Environment.SetEnvironmentVariable("MCP_MANAGER_CONFIG_DIR", folder);
        Environment.SetEnvironmentVariable("MCPSM_INTERACTIVE", "1");
        // Else the engine tells its makers of each start, and keeps a file in the home folder for that.
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        Environment.SetEnvironmentVariable("BROWSER", $"\"{Environment.ProcessPath}\" --browse %s");
        // Nothing of this run goes into the store of the person's own credentials.
        Environment.SetEnvironmentVariable("MCPSM_VAULT", "file");
        foreach (var name in new[] { "MCPSM_VAULT_PASSPHRASE", "MCPSM_CALLBACK_PORT" })
        {
            Environment.SetEnvironmentVariable(name, null);
        }
        // A SecretManagement of this machine is not to be asked: this run leaves nothing behind.
        Environment.SetEnvironmentVariable("PSModulePath", folder);
        var state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = Microsoft.PowerShell.ExecutionPolicy.Bypass;
        }
        _runspace = RunspaceFactory.CreateRunspace(new ConsoleOfOurs(), state);
        _runspace.Open();
        using var shell = System.Management.Automation.PowerShell.Create(_runspace);
        shell.AddCommand("Import-Module").AddArgument(Module).Invoke();
    }

    public static string Module { get; } = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "module").Value!;

    /// <summary>Runs one line and prints it with all it shows; false where it failed.</summary>
    public bool Run(string line)
    {
        Console.WriteLine();
        Console.WriteLine($"PS> {line}");
        using var shell = System.Management.Automation.PowerShell.Create(_runspace);
        shell.AddScript(line).AddCommand("Out-Default");
        shell.Commands.Commands[0].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        shell.Invoke();
        using var asked = System.Management.Automation.PowerShell.Create(_runspace);
        return LanguagePrimitives.IsTrue(asked.AddScript("$Error.Count -eq 0").Invoke()[0]);
    }

    public void Dispose() => _runspace.Dispose();

    private sealed class ConsoleOfOurs : PSHost
    {
        public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;
        public override CultureInfo CurrentUICulture => CultureInfo.InvariantCulture;
        public override Guid InstanceId { get; } = Guid.NewGuid();
        public override string Name => "Quickstart";
        public override PSHostUserInterface UI { get; } = new Screen();
        public override Version Version => new(1, 0);
        public override void EnterNestedPrompt() => throw new NotSupportedException();
        public override void ExitNestedPrompt() => throw new NotSupportedException();
        public override void NotifyBeginApplication() { }
        public override void NotifyEndApplication() { }
        public override void SetShouldExit(int exitCode) { }
    }

    /// <summary>Shows; asks nothing, for nobody types here.</summary>
    private sealed class Screen : PSHostUserInterface
    {
        public override PSHostRawUserInterface RawUI { get; } = new Window();
        public override bool SupportsVirtualTerminal => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";
        public override void Write(string value) => Console.Write(GetOutputString(value, SupportsVirtualTerminal));
        public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Write(value);
        public override void WriteLine(string value) => Write(value + Environment.NewLine);
        public override void WriteErrorLine(string value) => Console.WriteLine(value);
        public override void WriteDebugLine(string message) => Console.WriteLine(message);
        public override void WriteVerboseLine(string message) => Console.WriteLine(message);
        public override void WriteWarningLine(string message) => Console.WriteLine(message);
        public override void WriteProgress(long sourceId, ProgressRecord record) { }
        public override string ReadLine() => throw new NotSupportedException();
        public override SecureString ReadLineAsSecureString() => throw new NotSupportedException();
        public override Dictionary<string, PSObject> Prompt(string caption, string message, System.Collections.ObjectModel.Collection<FieldDescription> descriptions) => throw new NotSupportedException();
        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) => throw new NotSupportedException();
        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) => throw new NotSupportedException();
        public override int PromptForChoice(string caption, string message, System.Collections.ObjectModel.Collection<ChoiceDescription> choices, int defaultChoice) => throw new NotSupportedException();
    }

    private sealed class Window : PSHostRawUserInterface
    {
        public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;
        public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;
        public override Size BufferSize { get; set; } = new(100, 50);
        public override Coordinates CursorPosition { get; set; }
        public override int CursorSize { get; set; } = 1;
        public override bool KeyAvailable => false;
        public override Size MaxPhysicalWindowSize => BufferSize;
        public override Size MaxWindowSize => BufferSize;
        public override Coordinates WindowPosition { get; set; }
        public override Size WindowSize { get; set; } = new(100, 50);
        public override string WindowTitle { get; set; } = "";
        public override void FlushInputBuffer() { }
        public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw new NotSupportedException();
        public override KeyInfo ReadKey(ReadKeyOptions options) => throw new NotSupportedException();
        public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) => throw new NotSupportedException();
        public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw new NotSupportedException();
        public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw new NotSupportedException();
    }
}
