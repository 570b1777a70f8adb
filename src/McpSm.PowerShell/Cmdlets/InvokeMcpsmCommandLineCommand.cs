using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Commands;
using McpSm.Commands.Remedies;
using McpSm.Core.Errors;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>What <c>mcpsm.ps1</c> runs: the command tree, with the pipeline's thread serving it. Not exported.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "McpsmCommandLine", DefaultParameterSetName = "Run", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.None)]
[OutputType(typeof(string))]
public sealed class InvokeMcpsmCommandLineCommand : McpCmdlet
{
    /// <summary>The words behind <c>mcpsm</c>, as PowerShell took them.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Run")]
    [AllowNull]
    [AllowEmptyCollection]
    public object?[]? ArgumentList { get; set; }

    /// <summary>What came through the pipeline: standard input, line by line. Null if <c>mcpsm</c> is not in a pipeline.</summary>
    [Parameter(ParameterSetName = "Run")]
    [AllowNull]
    [AllowEmptyCollection]
    public object?[]? InputObject { get; set; }

    /// <summary>Reports the exit code of the last run as an error, if <c>$PSNativeCommandUseErrorActionPreference</c> asks for that.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Failed")]
    public SwitchParameter Failed { get; set; }

    private bool _toldAny;

    private protected override RemedyFormatter Remedies => CliRemedyFormatter.Instance;

    protected override void ProcessRecord()
    {
        if (!Failed)
        {
            RunLine();
        }
        else if (LanguagePrimitives.IsTrue(GetVariableValue("PSNativeCommandUseErrorActionPreference")))
        {
            WriteError(StandardErrorLine.OfExitCode((int)GetVariableValue("global:LASTEXITCODE")));
        }
    }

    /// <summary>A line of standard error. Like a native command's, it does not stay in <c>$Error</c>.</summary>
    internal override void Tell(string text) => Dispatcher.Post(() =>
    {
        var line = StandardErrorLine.Create(UntrustedText.SanitizeLine(text), isFirst: !_toldAny);
        _toldAny = true;
        WriteError(line);
        if (GetVariableValue("global:Error") is ArrayList { Count: > 0 } kept && ReferenceEquals(kept[0], line))
        {
            kept.RemoveAt(0);
        }
    });

    private void RunLine()
    {
        var words = (ArgumentList ?? []).Select(Word).ToList();
        var lines = InputObject?.SelectMany(o => Word(o).Split('\n')).Select(l => l.TrimEnd('\r')).ToList();
        var console = new HostConsole(this, lines) { IsWhatIf = LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference")) };
        var code = ExitCode.Cancelled;
        try
        {
            Run(async cancellationToken =>
            {
                code = await McpsmCommand.RunAsync(words, console, AppEnvironment, cancellationToken, VaultSources).ConfigureAwait(false);
            });
        }
        finally
        {
            SessionState.PSVariable.Set("global:LASTEXITCODE", code);
        }
    }

    /// <summary>As a native program would be given it: <c>a,b</c> is one word, numbers are invariant.</summary>
    private static string Word(object? argument) => (argument is PSObject wrapped ? wrapped.BaseObject : argument) switch
    {
        null => "",
        string text => text,
        SecureString secret => new NetworkCredential("", secret).Password,
        IEnumerable several => string.Join(',', several.Cast<object?>().Select(Word)),
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        var other => other.ToString() ?? "",
    };
}
